"""GPU locks: a GPU serves one run of a user at a time."""

import fcntl
import os
import pwd
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.hardware.socket_lock import held_name
from relight_assets.errors import DeviceBusyError
from relight_assets.storage.local import LOCAL
from relight_assets.storage.locks import TakenError, holder_file, holder_of, this_process


@contextmanager
def reserved(slots: Sequence[DeviceSlot], count: int, *, all_needed: bool) -> Iterator[list[DeviceSlot]]:
    """Hold ``count`` of the slots, no GPU of which any other run of this user has on this host.

    With ``all_needed`` false, as many as are free do, if there is one.  Slots without a GPU are never taken.

    Raises:
        DeviceBusyError: too few are free; says who has them.  Or there is no place for their locks.
    """
    taken: list[str] = []
    with ExitStack() as stack:
        free: list[DeviceSlot] = []
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
            stack.enter_context(held_name(name, this_process()))
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


@contextmanager
def _held_by_the_kernel(path: Path) -> Iterator[None]:
    """Hold a kernel lock without waiting for it; an error where the file system has none.

    A file that merely is there, which FileLock falls back to, would keep a GPU after its holder was killed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(holder_of(path)) from None
        with holder_file(path, LOCAL):
            yield
    finally:
        os.close(descriptor)
