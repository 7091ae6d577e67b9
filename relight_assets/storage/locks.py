"""Locks, which die with their holder; who holds one stands beside it, for people.

A pid in a file proves nothing: it is used again some day, and on another host it is somebody else's.  The
lock is the kernel's, the text is only for whoever finds it taken.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from relight_assets.storage.base import Storage
from relight_assets.storage.files import read_regular


class TakenError(Exception):
    """Somebody holds the lock; the message says who."""


@contextmanager
def holder_file(lock: Path, storage: Storage) -> Iterator[None]:
    """Write this process's name beside a lock while it is held."""
    holder = lock.with_suffix(".json")
    storage.put(holder, f"{this_process()}\n".encode())
    try:
        yield
    finally:
        with suppress(OSError):
            storage.remove(holder)


def this_process() -> str:
    """This process, for people: its number, host and start of the lock."""
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}"


def holder_of(lock: Path) -> str:
    """What the holder of a lock has written of itself, on one line."""
    try:
        text = (read_regular(lock.with_suffix(".json")) or b"")[:200].decode("utf-8", "replace")
    except OSError:
        text = ""
    return "".join(each if each.isprintable() else " " for each in text).strip() or "another process"
