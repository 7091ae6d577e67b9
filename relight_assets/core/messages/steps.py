"""How far something is that takes seconds: who does it says so, and who asked for it may show that."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

Watch = Callable[[int, int], None]
"""Is told how many are done, and of how many."""
Steps = Callable[[str], Watch]
"""Begins a step; takes what the step counts, such as `rows scanned`."""


def unwatched(_done: int, _total: int) -> None:
    """For what nobody watches."""


def no_steps(_counted: str) -> Watch:
    """For steps that nobody watches."""
    return unwatched


def watched(items: Iterable[T], total: int, watch: Watch) -> Iterator[T]:
    """The items, of which there are ``total``; ``watch`` is told of each once it was used."""
    for done, item in enumerate(items, start=1):
        yield item
        watch(done, total)
