"""Best-effort blocks: charts, sheets and progress that fail become a warning, and the run goes on without them."""

import logging
from collections.abc import Callable
from types import TracebackType

Warn = Callable[[str], object]
"""Tells people one sentence."""
WARNINGS = "warnings"
"""In the metadata of what was materialized: the sentences."""
LONGEST = 500
"""Characters of a cause that are reported."""
_LOG = logging.getLogger(__name__)


class best_effort:  # noqa: N801  (reads as a statement)
    """Do what a run can do without; whatever that raises ends the block and becomes a warning with its cause.

    Args:
        what: in words, such as ``the charts``.
        warn: receives the sentence; what it raises is ignored.
    """

    def __init__(self, what: str, warn: Warn):
        self._what, self._warn = what, warn

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):  # nothing was raised, or somebody stops the run
            return False
        message = f"without {self._what}: {cause_of(error)}"
        try:
            self._warn(message)
        except Exception:  # noqa: BLE001  (who warns may be what is broken)
            _LOG.warning("%s", message)
        return True


def cause_of(error: BaseException) -> str:
    """What an error says, on one line, with its kind: the text alone often says too little."""
    text = " ".join(str(error).split())
    message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 3]}..."
