"""Kernel locks, which die with their holder; who holds one stands beside it, for people.

A pid in a file proves nothing: it is used again some day, and on another host it is somebody else's.  The
lock is the kernel's, the text is only told to whoever finds it taken.
"""

import fcntl
import os
import pwd
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from relight_assets.dataset.layout import SplitLayout
from relight_assets.engine.hardware.devices import Slot
from relight_assets.engine.hardware.socket_lock import TakenError, held_name
from relight_assets.errors import DeviceBusyError, OutputFolderError
from relight_assets.storage.files import read_regular, write_atomic


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a kernel lock without waiting for it.

    Raises:
        TakenError: somebody else holds it.
        OSError: the lock file cannot be made.
    """
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TakenError(_who(path)) from None
    try:
        with _said_beside(path):
            yield
    finally:
        lock.release()


@contextmanager
def _held_by_the_kernel(path: Path) -> Iterator[None]:
    """As :func:`held`, and an error where the file system has no kernel locks.

    A file that merely is there, which FileLock falls back to, would keep a GPU after its holder was killed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(_who(path)) from None
        with _said_beside(path):
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _said_beside(lock: Path) -> Iterator[None]:
    """Have this process's name stand beside a lock that it holds."""
    holder = lock.with_suffix(".json")
    try:
        write_atomic(holder, f"{_this_process()}\n".encode())
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)


def _this_process() -> str:
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}"


def _who(lock: Path) -> str:
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
            stack.enter_context(held(layout.lock))
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


@contextmanager
def reserved(slots: Sequence[Slot], count: int, *, all_needed: bool) -> Iterator[list[Slot]]:
    """Hold ``count`` of the slots, no GPU of which any other run of this user has on this host.

    With ``all_needed`` false, as many as are free do, if there is one.  Slots without a GPU are never taken.

    Raises:
        DeviceBusyError: too few are free; says who has them.  Or there is no place for their locks.
    """
    taken: list[str] = []
    with ExitStack() as stack:
        free: list[Slot] = []
        for slot in slots:
            if len(free) == count:
                break
            try:
                if slot.device is not None:
                    stack.enter_context(_held_gpu(slot.device))
                free.append(slot)
            except TakenError as holder:
                taken.append(f"{slot.name} by {holder}")
        if len(free) < (count if all_needed else min(1, count)):
            raise DeviceBusyError(
                f"in use: {'; '.join(taken)}. Wait for it, or choose other GPUs with num_gpus or CUDA_VISIBLE_DEVICES"
            )
        yield free


@contextmanager
def _held_gpu(device: str) -> Iterator[None]:
    """Hold a GPU, by its UUID, in each place that two runs of one user may have in common; taken in one is taken.

    The name in the kernel is common to all on one host, whatever TMPDIR, HOME and private folders are.  Containers of
    one user, each with a network of its own, have at most the home folder in common.  Where a place cannot be had
    (another user is in the way, a read-only home, a network disk without locks), the other one is enough.
    """
    name = re.sub(r"[^A-Za-z0-9-]", "_", device)[:60]
    faults = []
    with ExitStack() as stack:
        try:
            stack.enter_context(held_name(name, _this_process()))
        except OSError as error:
            faults.append(str(error))
        try:
            stack.enter_context(_held_by_the_kernel(_lock_folder() / f"{name}.lock"))
        except OSError as error:
            faults.append(str(error))
        if len(faults) == 2:
            raise DeviceBusyError(f"no lock can be held on {device}: {'; '.join(faults)}")
        yield


def _lock_folder() -> Path:
    """Below the home that the system has for this user, as HOME may be another from job to job.

    Raises:
        OSError: there is none of this user's own.
    """
    user = os.geteuid()
    try:
        home = Path(pwd.getpwuid(user).pw_dir)
    except KeyError:  # a user without a name
        home = Path(os.environ.get("HOME", ""))
    if not home.is_absolute():
        raise NotADirectoryError(f"user {user} has no home folder")
    folder = home / ".cache" / "relight_assets" / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != user or status.st_mode & 0o022:
        raise PermissionError(f"{folder} is another user's, or others may write there")
    return folder
