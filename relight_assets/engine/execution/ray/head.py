"""Whether the head of the cluster still answers.

Ray ends a process that has had no answer for 60 seconds, in the midst of whatever it does.  Who notices earlier can
end a run as any other: with a sentence, an event and the CSVs.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

EVERY_S = 3.0
LOST_S = 40.0
"""Seconds without an answer: long, because a busy head is no fault, and short enough to end in time."""


class HeadWatch:
    """Asks the head every few seconds while it is open, and calls ``lost`` once when no answer comes."""

    def __init__(self, ask: Callable[[], Any], lost: Callable[[], object]):
        """``ask`` may wait without end."""
        self._ask, self._lost = ask, lost
        self._answered = time.monotonic()
        self._closed = threading.Event()
        for work in (self._go_on_asking, self._watch):
            threading.Thread(target=work, daemon=True, name="head of the Ray cluster").start()

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _go_on_asking(self) -> None:
        while not self._closed.wait(EVERY_S):
            try:
                self._ask()
            except Exception:  # noqa: BLE001, S112  (no answer; the next may be one)
                continue
            self._answered = time.monotonic()

    def _watch(self) -> None:
        while not self._closed.wait(1.0):
            if time.monotonic() - self._answered > LOST_S:
                self._lost()
                return
