"""Kernel locks, which die with their holder; who holds one stands beside it, for people.

A pid in a file proves nothing: it is used again some day, and on another host it is somebody else's.  The
lock is the kernel's, the text is only told to whoever finds it taken.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.hardware.socket_lock import TakenError
from relight_assets.errors import OutputFolderError
from relight_assets.storage.base import Storage
from relight_assets.storage.files import read_regular
from relight_assets.storage.local import LOCAL


@contextmanager
def held(path: Path, storage: Storage = LOCAL) -> Iterator[None]:
    """Hold a kernel lock without waiting for it.

    Raises:
        TakenError: somebody else holds it.
        OSError: the lock file cannot be made.
    """
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TakenError(holder_of(path)) from None
    try:
        with said_beside(path, storage):
            yield
    finally:
        lock.release()


@contextmanager
def said_beside(lock: Path, storage: Storage = LOCAL) -> Iterator[None]:
    """Have this process's name stand beside a lock that it holds."""
    holder = lock.with_suffix(".json")
    try:
        storage.put(holder, f"{this_process()}\n".encode())
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


@contextmanager
def locked_folder(layout: SplitLayout) -> Iterator[None]:
    """Be the only writer of a split's folder, which is made where it is missing.

    Raises:
        OutputFolderError: somebody else writes there, or the folder cannot be written.
    """
    folder = layout.folder
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(layout.lock, layout.storage))
        except TakenError as taken:
            raise OutputFolderError(f"{folder} is being written by {taken}; wait for it, or stop it") from None
        except OSError as error:
            raise OutputFolderError(f"{folder} cannot be written: {error}") from error
        yield


@contextmanager
def still_folder(layout: SplitLayout) -> Iterator[None]:
    """Keep a split's folder as it is while it is read, where there is one; one that cannot be written is so anyway.

    Raises:
        OutputFolderError: somebody writes there.
    """
    with locked_folder(layout) if os.access(layout.folder, os.W_OK) else nullcontext():
        yield
