"""Which unfinished runs are dead?  A run holds a kernel lock while it works, and the lock dies with it.

Dagster itself does not learn that the process of a run was killed unless its daemon started it, and a dead run
keeps its slot of the pool, so that no other run would ever start.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock

LAUNCHED_BY = "relight/launched_by"
COMMAND = "relight run"
RUN_LOCK = "run_lock"
"""The key of the resource :class:`RunLock`."""

_UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]


@contextmanager
def holding(instance: dg.DagsterInstance, run_id: str, part: str) -> Iterator[None]:
    """Hold the lock of a run while it works.

    ``part`` is ``steps`` from its first step to its last (:class:`RunLock`), and ``launch`` around all of a run of
    the command line.
    """
    path = _path(instance, run_id, part)
    # Under its own name the file is never there without being held: a look in that moment would close the run.
    coming = path.with_suffix(".new")
    with FileLock(coming):
        coming.rename(path)
        try:
            yield
        finally:  # only a killed process leaves it behind
            path.unlink(missing_ok=True)


class RunLock(dg.ConfigurableResource[Any]):
    """Held by the process of a run from the first step to the last, so that a run whose process is gone is known."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> "Iterator[RunLock]":
        """Hold the lock for as long as the run's resources live."""
        assert context.instance is not None  # noqa: S101  (in a run there are both)
        assert context.run is not None  # noqa: S101
        with holding(context.instance, context.run.run_id, "steps"):
            yield self


def close_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark unfinished runs whose process is gone as failed and free their pool slots; their ids.

    A run of anybody else that never took a lock is left alone: it may be about to start.  May be called at any time
    and by several processes at once.
    """
    closed: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        with _abandoned(instance, run) as abandoned:
            if not abandoned:
                continue
            now = instance.get_run_by_id(run.run_id)
            if now is None or now.status not in _UNFINISHED:
                continue  # it ended while we looked
            instance.report_run_failed(run, "The process of this run is gone. A new run continues its work.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            for part in ("steps", "launch"):
                path = _path(instance, run.run_id, part)
                path.unlink(missing_ok=True)
                path.with_suffix(".new").unlink(missing_ok=True)
        closed.append(run.run_id)
    return closed


@contextmanager
def _abandoned(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[bool]:
    """Whether the process of a run is gone.  If so its lock is held meanwhile: no two close the same run."""
    if run.tags.get(LAUNCHED_BY) == COMMAND:
        path, flags = _path(instance, run.run_id, "launch"), os.O_RDWR | os.O_CREAT
    else:
        path, flags = _path(instance, run.run_id, "steps"), os.O_RDWR
    try:
        file = os.open(path, flags)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = os.fstat(file).st_nlink > 0  # none: it let go of its lock while we looked, and is about to end
    except OSError:
        free = False
    try:
        yield free
    finally:
        os.close(file)


def _path(instance: dg.DagsterInstance, run_id: str, part: str) -> Path:
    folder = Path(instance.root_directory) / "relight_runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run_id}.{part}.lock"
