"""A storage that stops a process at one moment of one write.

Every file of a split is put into its storage: a temp file, then a rename.  So "at any moment" comes down to three
moments of each write, and a process can be ended or held at any of them.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from relight_assets.storage.local import LOCAL, LocalStorage

Moment = Literal["before", "temp", "renamed"]
MOMENTS: tuple[Moment, ...] = ("before", "temp", "renamed")
"""Before the temp file is opened; when it is whole and not renamed yet; after the rename."""


@dataclass(frozen=True)
class Point:
    """A moment of the ``nth`` write (from 1) of files whose name ends with ``name``."""

    name: str
    moment: Moment
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.name} {self.nth} {self.moment}"


CsvStamp = Callable[[str, Moment], None]


@dataclass(frozen=True)
class WatchedStorage(LocalStorage):
    """The local storage; whoever watches is called at every moment of every write of this process.

    Processes that it is sent to have the plain one: they are not watched.
    """

    watchers: list[CsvStamp] = field(default_factory=list)

    def put(self, path: Path, data: bytes | memoryview, *, durable: bool = False, over_folder: bool = False) -> None:
        self._tell(path, "before")
        super().put(path, data, durable=durable, over_folder=over_folder)

    def _rename(self, temp: Path, path: Path) -> None:
        self._tell(path, "temp")
        super()._rename(temp, path)
        self._tell(path, "renamed")

    def _tell(self, path: Path, moment: Moment) -> None:
        for watcher in list(self.watchers):
            watcher(path.name, moment)

    def arm(self, point: Point, action: Callable[[], None]) -> None:
        """Have this process do ``action`` when it comes to ``point``."""
        lock = threading.Lock()
        left = point.nth

        def seen(name: str, moment: Moment) -> None:
            nonlocal left
            if moment == point.moment and name.endswith(point.name):
                with lock:
                    left -= 1
                    now = left == 0
                if now:
                    action()

        self.watchers.append(seen)

    def __reduce__(self) -> Any:
        return (LocalStorage, ())


def watched(seen: CsvStamp) -> WatchedStorage:
    """A storage of which ``seen(file name, moment)`` is reported every moment of every write of this process."""
    return WatchedStorage([seen])


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_child(work: Callable[[LocalStorage], object], point: Point | None = None) -> bool:
    """Do ``work`` in a forked process that dies at ``point`` of the storage it is given; whether it died there.

    Raises:
        RuntimeError: it failed in another way.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            storage = LOCAL
            if point is not None:
                storage = WatchedStorage()
                storage.arm(point, die)
            work(storage)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status != 0:
        raise RuntimeError(f"the child ended with status {status}")
    return False
