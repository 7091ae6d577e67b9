"""Work in threads, in order, with few items in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from relight_assets.engine.hardware.devices import cores

_T = TypeVar("_T")
_R = TypeVar("_R")


def in_threads(work: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[_R]:
    """The results of ``work``, in order; a few items are in memory at a time."""
    rest = iter(items)
    with ThreadPoolExecutor(cores()) as pool:
        while some := list(islice(rest, 4 * cores())):
            yield from pool.map(work, some)
