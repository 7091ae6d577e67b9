"""Processes of this machine as /proc shows them, how they are waited for, and how ours are started."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHANGE_S = 420.0
"""How long a condition is waited for: long, because a busy machine is no fault."""
LONGEST_PAUSE_S = 0.5


@dataclass(frozen=True)
class Process:
    """A process as it was seen; its start tells it from a later one with the same number."""

    pid: int
    start: int
    parent: int
    session: int
    command: str

    @property
    def alive(self) -> bool:
        now = _read(self.pid)
        return now is not None and now.start == self.start

    @property
    def spawned(self) -> bool:
        """Started by multiprocessing: a run's process or, one level deeper, a relight worker."""
        return "spawn_main" in self.command


def _read(pid: int) -> Process | None:
    folder = Path("/proc") / str(pid)
    with suppress(OSError):  # it ended meanwhile
        stat = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        if stat[0] != "Z":
            return Process(pid, int(stat[19]), int(stat[1]), int(stat[3]), command)
    return None


def all_processes() -> list[Process]:
    return [process for folder in Path("/proc").glob("[0-9]*") if (process := _read(int(folder.name))) is not None]


def processes_of(session: int) -> list[Process]:
    """The living processes of a session."""
    return [process for process in all_processes() if process.session == session]


def tree_of(pid: int) -> list[Process]:
    """A process and everything that descends from it: workers, log tails and all."""
    there = all_processes()
    tree = [process for process in there if process.pid == pid]
    for member in tree:  # grows while it is walked
        tree.extend(process for process in there if process.parent == member.pid)
    return tree


def workers_in(tree: list[Process]) -> list[Process]:
    """The relight workers among the processes below a run's process."""
    return [process for process in tree[1:] if process.spawned]


def wait_until(holds: Callable[[], Any], timeout_s: float = CHANGE_S, every_s: float = 0.05) -> float | None:
    """Seconds until it held, None when it did not before the time was up.

    To ask takes a fifth of the time at most: the servers that answer need the cores for what is waited for.
    """
    start = asked = time.monotonic()
    while not holds():
        now = time.monotonic()
        if now - start > timeout_s:
            return None
        time.sleep(max(every_s, min(4 * (now - asked), LONGEST_PAUSE_S)))
        asked = time.monotonic()
    return time.monotonic() - start


def default_signals() -> None:
    """For a child: a shell may have had its background jobs ignore Ctrl-C, and Dagster copies that to SIGTERM.

    Under nohup, SIGHUP is ignored too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


def relight_command() -> str:
    return command_path("relight")


def require_servers() -> None:
    """Skip where Dagster's servers cannot be started and watched."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see the processes")
    if not Path(relight_command()).exists():
        pytest.skip("the command `relight` is not installed")


def command_path(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def clean_environment() -> dict[str, str]:
    """That of this process without what a shell has set for relight or Dagster."""
    kept = "RELIGHT_MODEL_DIR"
    return {n: value for n, value in os.environ.items() if n == kept or not n.startswith(("RELIGHT_", "DAGSTER_"))}


def files_of_now(folder: Path) -> list[Path]:
    """All files below; what goes meanwhile, as SQLite's journals do, ends nothing: ``Path.rglob`` would raise."""
    return [Path(above, name) for above, _, names in os.walk(folder) for name in names]
