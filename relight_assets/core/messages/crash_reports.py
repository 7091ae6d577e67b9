"""Errors that nobody foresaw, for people: the cause in one line, and a file with the whole traceback."""

import os
import tempfile
import traceback
from collections.abc import Sequence

from relight_assets.errors import RelightError

LONGEST = 400
"""Characters of a cause that are reported."""


class UnexpectedError(RelightError):
    """Something that is none of our errors ended a command or a run; the log has its traceback."""

    code = "unexpected"


def unexpected(error: BaseException, doing: str = "") -> UnexpectedError:
    """An error that nobody foresaw as one sentence; its traceback is written to a file.

    ``doing`` says in what it happened, such as a run and its step.
    """
    text = "".join(traceback.format_exception(error))
    return UnexpectedError(sentence(cause_of(chain(error)), text, doing))


def sentence(cause: str, text: str, doing: str = "") -> str:
    """One sentence about a cause, with the place of the traceback ``text``, which is written there."""
    return f"{doing}{': ' if doing else ''}{cause}; {write_traceback(text)}"


def chain(error: BaseException) -> list[tuple[str, str]]:
    """An error and what it came from, the innermost cause last: class names and messages."""
    found: list[tuple[str, str]] = []
    visited: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in visited:
        visited.add(id(now))
        found.append((type(now).__name__, _message(now)))
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return found


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (somebody's own __str__ may do anything)
        return ""


def cause_of(links: Sequence[tuple[str, str]]) -> str:
    """The innermost cause of a chain in one line, and what it became, where that says more."""
    # Dagster wraps what an op raises in errors of its own, which only say that there was one.
    own = [link for link in links if not link[0].startswith("Dagster")] or links[-1:]
    outer, inner = _line(*own[0]), _line(*own[-1])
    return inner if inner == outer or own[0][1].strip() in inner else f"{inner} (which led to {outer})"


def _line(name: str, message: str) -> str:
    words = " ".join(message.split())
    return f"{name}: {words[:LONGEST]}{'...' if len(words) > LONGEST else ''}" if words else name


def write_traceback(text: str) -> str:
    """Write a traceback into a new file among the system's temporary ones; where it is, for people."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="relight-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:  # not even that; better here than nowhere
        return f"the traceback could not be written ({error.strerror}):\n{text}"
    return f"the traceback is in {path}"
