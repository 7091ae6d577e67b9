"""Stops a process at one moment of one write.

Every file of a split goes through ``dataset.files.write_atomic``: a temp file, then a rename.  So "at any moment"
comes down to three moments of each write, and a process can be ended or held at any of them.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from relight_assets.storage import files

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


Seen = Callable[[str, Moment], None]


def watch_writes(seen: Seen) -> Callable[[], None]:
    """Have ``seen(file name, moment)`` called at every moment of every write of this process; returns the undoing."""
    real_write, real_replace = files.write_atomic, Path.replace
    writing = threading.local()

    def write(path: Path, data: bytes | memoryview, *, durable: bool = False) -> None:
        seen(path.name, "before")
        writing.name = path.name
        try:
            real_write(path, data, durable=durable)
        finally:
            writing.name = None

    def replace(self: Path, target: Any) -> Path:
        name = getattr(writing, "name", None)
        if name is None:
            return real_replace(self, target)
        seen(name, "temp")
        replaced = real_replace(self, target)
        seen(name, "renamed")
        return replaced

    def everywhere(old: Any, new: Any) -> None:
        # Modules import the function by its name, so each has one of its own.
        for name, module in list(sys.modules.items()):
            if name.startswith("relight_assets.") and getattr(module, "write_atomic", None) is old:
                module.write_atomic = new  # type: ignore[attr-defined]

    def undo() -> None:
        everywhere(write, real_write)
        Path.replace = real_replace  # type: ignore[method-assign]

    everywhere(real_write, write)
    Path.replace = replace  # type: ignore[method-assign]
    return undo


def arm(point: Point, action: Callable[[], None]) -> None:
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

    watch_writes(seen)


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_child(work: Callable[[], object], point: Point | None = None) -> bool:
    """Do ``work`` in a forked process that dies at ``point``; whether it died there.

    Raises:
        RuntimeError: it failed in another way.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if point is not None:
                arm(point, die)
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status != 0:
        raise RuntimeError(f"the child ended with status {status}")
    return False
