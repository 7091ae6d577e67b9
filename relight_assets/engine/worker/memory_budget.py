"""Memory in flight, bounded in bytes and not in images: a 64-megapixel image counts as many faces."""

import threading


class ByteBudget:
    """So many bytes may be in use at a time.

    Whoever comes first is served first, so that a large image is not overtaken for ever by small ones.  One
    that is larger than the whole budget has it alone.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._free = capacity
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._closed = False

    def acquire(self, size: int) -> int:
        """Wait until ``size`` bytes are free and take them; returns what to give back.

        Once the budget is closed nobody waits any more.
        """
        taken = min(size, self.capacity)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= taken or self._closed)
            self._free -= taken
        return taken

    def release(self, taken: int) -> None:
        """Give back what was taken."""
        with self._changed:
            self._free += taken
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody through: nothing is computed any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
