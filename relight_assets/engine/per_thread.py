"""What serves one thread at a time, from any thread: each has its own."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(Generic[T]):
    """Makes one for each thread that asks; the first at once, which tells what is wrong with its files."""

    def __init__(self, make: Callable[[], T]):
        self._make = make
        self._loading = threading.Lock()
        self._of_thread = threading.local()
        self._of_thread.own = make()

    def own(self) -> T:
        """The calling thread's own."""
        if not hasattr(self._of_thread, "own"):
            with self._loading:
                self._of_thread.own = self._make()
        own: T = self._of_thread.own
        return own
