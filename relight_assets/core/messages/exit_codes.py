"""Exit codes of the commands, in order of precedence over all splits."""

from collections.abc import Iterable

from relight_assets.errors import InterruptedRunError, RelightError, UserError

INTERRUPTED = 130
"""Somebody stopped it."""
CRASHED = 1
"""A run failed, or something did that nobody expected."""
MISTAKE = 2
"""A user's: in a command, a configuration, a CSV."""
NOT_DONE = 3
"""A row that was to be done is not (it failed, was rejected, is pending or unchecked), or what was verified differs."""
DONE = 0
_PRECEDENCE = (INTERRUPTED, CRASHED, MISTAKE, NOT_DONE, DONE)


def exit_code(errors: Iterable[RelightError] = (), *, done: bool = True) -> int:
    """The exit code of a command that has reported ``errors``; ``done``: whether everything is as it is to be."""
    codes = {*map(_code_of, errors), DONE if done else NOT_DONE}
    return min(codes, key=_PRECEDENCE.index)


def _code_of(error: RelightError) -> int:
    if isinstance(error, InterruptedRunError):
        return INTERRUPTED
    return MISTAKE if isinstance(error, UserError) else CRASHED
