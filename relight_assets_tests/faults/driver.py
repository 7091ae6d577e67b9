"""One run in a process of its own, for tests that end it: ``python -m relight_assets_tests.faults.driver JOB``.

JOB is a JSON file, see :class:`Job`.  Exit codes: 0 the run ended, 2 a user's mistake was reported, in one line.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.errors import UserError
from relight_assets_tests.faults import faulty

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Job:
    """What to run."""

    csv: str
    settings: dict[str, Any]
    worker: str
    """A class of ``faulty``."""
    gate: str | None = None
    """A file that is waited for before the run starts."""
    hold: str | None = None
    """A file that is made when all results are in; then nothing goes on."""
    recipe: dict[str, Any] = field(default_factory=dict)


def main(job: Job) -> int:
    def watch(progress: Progress) -> None:
        if job.hold is not None and progress.finished:
            Path(job.hold).touch()
            time.sleep(3600)

    if job.gate is not None:
        wait_for(Path(job.gate).exists)
    try:
        run_split(
            read_split_csv(Path(job.csv)),
            Recipe.model_validate(job.recipe),
            Settings.model_validate(job.settings),
            RunOptions(),
            watch=watch,
            worker=getattr(faulty, job.worker),
        )
    except UserError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 2
    return 0


@contextmanager
def driven(job: Job, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The job in a process of its own; nothing of it is left afterwards."""
    file = folder / f"job-{os.urandom(4).hex()}.json"
    file.write_text(json.dumps(asdict(job)))
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "relight_assets_tests.faults.driver", str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        # A shell that started these tests in the background may have them ignore signals, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL),  # noqa: PLW1509
    )
    with process:  # waits for it and closes the pipe
        try:
            yield process
        finally:
            process.kill()


def descendants(pid: int) -> set[int]:
    """All processes below a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            status = _stat(int(entry.name))
            if status is not None:
                parents[int(entry.name)] = int(status[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def state(pid: int) -> str | None:
    """The letter by which the kernel calls a process's state (``T``: stopped); None where there is no such process."""
    status = _stat(pid)
    return status[0] if status is not None else None


def alive(pid: int) -> bool:
    """Whether a process is there and more than a zombie."""
    return state(pid) not in {None, "Z"}


def _stat(pid: int) -> list[str] | None:
    """State, parent and what follows of ``/proc/<pid>/stat``."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def wait_for(what: Callable[[], object]) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(Job(**json.loads(Path(sys.argv[1]).read_text()))))
