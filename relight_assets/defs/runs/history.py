"""Faults of Dagster's databases, for people: what is wrong, what to do, and what that costs."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relight_assets.doctor.dagster_home import LOST_WITH_IT, damaged, what_to_delete
from relight_assets.errors import RelightError, UserError

_OTHER_VERSION = ("no such table", "no such column", "has no column named", "Deserialization")
_NOT_WRITABLE = ("readonly database", "unable to open", "disk I/O error", "is full")
_DAMAGED = ("malformed", "not a database")


class HistoryError(UserError):
    """Dagster's databases of runs, events and switches cannot be used."""

    code = "history"


@contextmanager
def history_errors(home: Path | str) -> Iterator[None]:
    """Tell faults of the databases in one sentence.

    Raises:
        HistoryError: one of them cannot be used.
    """
    try:
        yield
    except RelightError:
        raise
    except Exception as error:
        fault = history_error(error, Path(home))
        if fault is None:
            raise
        raise fault from error


def history_error(error: BaseException, home: Path) -> HistoryError | None:
    """The sentence about an error that came from a database; None for any other."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  (a tenth of what loading the definitions takes)

    now: BaseException | None = error
    while now is not None:
        if isinstance(now, DBAPIError | sqlite3.Error) or "Deserialization" in type(now).__name__:
            fault = now.orig if isinstance(now, DBAPIError) and now.orig is not None else now
            return HistoryError(_sentence(type(fault).__name__, str(fault), home, fault))
        now = now.__cause__ or now.__context__
    return None


def history_error_of(links: list[tuple[str, str]], home: Path) -> HistoryError | None:
    """As :func:`history_error`, from the class names and messages of a chain of errors."""
    for name, message in links:
        if "sqlite3." in message:
            return HistoryError(_sentence(name, " ".join(message.split("[SQL:")[0].split()), home, sqlite3.Error()))
    return None


def _sentence(name: str, text: str, home: Path, fault: BaseException) -> str:
    detail = f"{name}: {' '.join(text.split())[:300]}"
    if any(part in detail for part in _OTHER_VERSION):
        return (
            f"Dagster's history in {home} is of another version of Dagster ({detail}): "
            f"`DAGSTER_HOME={home} dagster instance migrate` brings an older one up to date. Or, with nothing running, "
            f"delete {what_to_delete(home)}: {LOST_WITH_IT}"
        )
    if not isinstance(fault, sqlite3.Error):
        return f"Dagster's database does not answer as it should ({detail}); see `storage` in {home / 'dagster.yaml'}"
    if "locked" in detail:
        return f"Dagster's history in {home} is locked by another process ({detail}); wait for it, or end it"
    if any(part in detail for part in _NOT_WRITABLE):
        return (
            f"Dagster's history in {home} cannot be read or written ({detail}); check permissions and space of the disk"
        )
    files = ", ".join(map(str, damaged(home))) if any(part in detail for part in _DAMAGED) else ""
    where = f"{files}: {detail}" if files else detail
    return (
        f"Dagster's history in {home} is damaged ({where}). With nothing running, delete "
        f"{what_to_delete(home)}: {LOST_WITH_IT}"
    )
