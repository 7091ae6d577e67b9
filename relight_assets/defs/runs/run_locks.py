"""Locks that say whether a run's process is alive: the kernel drops them with the process.

Dagster itself does not learn that the process of a run was killed unless its daemon started it.  The lock file says
whose it is: a kernel knows the locks of its own processes alone, so a lock that nobody holds here proves nothing about
a run of another machine.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import dagster as dg
import msgspec

from relight_assets.defs.dagster_internals import home_of
from relight_assets.engine.hardware.machine import this_machine

LAUNCHED_BY = "relight/launched_by"
COMMAND = "relight run"
_PARTS = ("", ".steps", ".launch")
"""Of the names of a run's lock files; all but the first are of earlier versions."""
_LONGEST = 4096
_held: dict[Path, int] = {}
"""The locks that this process holds, and their descriptors."""


class Holder(msgspec.Struct, frozen=True):
    """What a lock file says of the process that took it; ``since`` in seconds since 1970."""

    host: str
    pid: int
    since: float
    boot_id: str | None = None


_DECODER = msgspec.json.Decoder(Holder)  # here and not at its first use, which may be in several threads at once


class Life(Enum):
    """What is known of the process of a run."""

    AT_WORK = "at work"
    """It holds its lock."""
    GONE = "gone"
    """It was under this kernel and holds its lock no longer."""
    ELSEWHERE = "elsewhere"
    """It was under another kernel, which cannot be asked."""
    UNKNOWN = "unknown"
    """It took no lock here: it has not begun, or has another DAGSTER_HOME, or locks do not work on this disk."""


@dataclass(frozen=True)
class Found:
    """The life of a run's process, and what its lock file says."""

    life: Life
    holder: Holder | None = None


@contextmanager
def holding(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold the lock of a run from before it begins until its end is recorded."""
    path = _paths(instance, run_id)[0]
    _take(path)
    try:
        yield
        # After an error the file stays: perhaps the run's end could not be recorded, and this tells that it is dead.
        path.unlink(missing_ok=True)
    finally:
        os.close(_held.pop(path))


def lock_until_exit(instance: dg.DagsterInstance, run_id: str) -> None:
    """Take the lock of a run, unless this process has it, and hold it until the process ends.

    Not only to the run's last step: its end is recorded after that, and a process that were killed in between would
    leave a run that counts as running for ever.
    """
    path = _paths(instance, run_id)[0]
    if path not in _held:
        _take(path)


def _take(path: Path) -> None:
    # Under its own name the file is never there without being held: a look in that moment would close the run.
    coming = path.with_suffix(f".{os.getpid()}.new")
    file = os.open(coming, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        _write_holder(file)
        coming.rename(path)
    except BaseException:
        os.close(file)
        raise
    _held[path] = file


def _write_holder(file: int) -> None:
    here = this_machine()
    text = msgspec.json.encode(Holder(here.host, os.getpid(), time.time(), here.boot_id))
    try:
        os.write(file, text)
    except OSError:  # a full disk: better a lock that says nothing than none
        os.ftruncate(file, 0)


@contextmanager
def examined(instance: dg.DagsterInstance, run_id: str) -> Iterator[Found]:
    """Whether the process of a run lives.  If it is gone its lock is held meanwhile: no two close the same run."""
    with ExitStack() as stack:
        found = [each for path in _paths(instance, run_id) if (each := _open_lock(path, stack)) is not None]
        worst = (Life.AT_WORK, Life.UNKNOWN, Life.ELSEWHERE, Life.GONE)
        yield min(found, key=lambda each: worst.index(each.life), default=Found(Life.UNKNOWN))


def _open_lock(path: Path, stack: ExitStack) -> Found | None:
    """What one lock file tells; None where there is none.  Its lock is kept until the stack is closed."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:  # somebody else's
        return Found(Life.UNKNOWN)
    stack.callback(os.close, file)
    text = os.read(file, _LONGEST)
    holder = None
    with suppress(msgspec.MsgspecError):
        holder = _DECODER.decode(text)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Found(Life.AT_WORK, holder)
    except OSError:
        return Found(Life.UNKNOWN, holder)
    if os.fstat(file).st_nlink == 0:  # it let go of its lock while we looked, and is about to end
        return Found(Life.AT_WORK, holder)
    if holder is None:  # earlier versions wrote nothing into it
        return Found(Life.UNKNOWN if text else Life.GONE)
    same_boot = holder.boot_id is not None and holder.boot_id == this_machine().boot_id
    return Found(Life.GONE if same_boot else Life.ELSEWHERE, holder)


def remove_locks(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove the lock files of a run that is over."""
    for path in _folder(instance).glob(f"{run_id}.*"):
        path.unlink(missing_ok=True)


def runs_with_locks(instance: dg.DagsterInstance) -> set[str]:
    """The ids of the runs of which a lock file is there, held or not."""
    return {path.name.partition(".")[0] for path in _folder(instance).iterdir()}


def _paths(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    folder = _folder(instance)
    return [folder / f"{run_id}{part}.lock" for part in _PARTS]


def _folder(instance: dg.DagsterInstance) -> Path:
    folder = home_of(instance) / "relight_runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
