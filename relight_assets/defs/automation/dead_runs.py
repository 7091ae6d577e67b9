"""Runs whose process is gone are marked as failed, and what ended or dead runs hold of the pool is freed.

Dagster frees the slot of a run when a step of it ends, or, while its daemon runs, some time after the run's end.  A
slot that is left is taken for ever, and no other run would start.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from relight_assets.defs.dagster_internals import (
    assign_free_slots,
    free_slots,
    is_finished,
    mark_failed,
    mark_failed_without_event,
    pool_claims,
)
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.run_locks import Found, Life, examined, remove_locks, runs_with_locks
from relight_assets.errors import UserError

_UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
_GONE = "The process of this run is gone. A new run continues its work."
_RELEASED = "Released by `relight runs release`. A new run continues its work."
STARTS_S = 180.0
"""So long Dagster itself gives a run to start; one that has no lock by then is worth a word."""
_LATEST = 1000
"""Runs among which one that has ended is looked for by the beginning of its id."""
_UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True)
class RunState:
    """A run that has not ended or holds a slot of the pool, and what is known of its process.

    ``status`` and ``since`` (seconds since 1970) are None for a run of which the history knows nothing.
    """

    run_id: str
    found: Found
    split: str | None = None
    status: dg.DagsterRunStatus | None = None
    since: float | None = None

    @property
    def is_over(self) -> bool:
        """It has ended, or the history knows nothing of it."""
        return self.status is None or is_finished(self.status)

    @property
    def is_unsure(self) -> bool:
        """Only a person can know whether it lives."""
        return not self.is_over and self.found.life in (Life.ELSEWHERE, Life.UNKNOWN)

    @property
    def name(self) -> str:
        """The run, for people."""
        return f"run {self.run_id}{f' of split `{self.split}`' if self.split else ''}"

    @property
    def condition(self) -> str:
        """What is known of it, and what to do where a person must know more."""
        holder = self.found.holder
        if self.found.life is Life.AT_WORK:
            process = f", as process {holder.pid}" if holder is not None else ""
            ended = f", although it counts as {self.status.value}" if self.status and self.is_over else ""
            return f"at work on this machine{process}{ended}"
        if self.status is None:
            return "not in the history"
        if self.is_over:
            return f"ended ({self.status.value})"
        if self.status not in _UNFINISHED:
            return f"waiting for its turn ({self.status.value})"
        if self.found.life is Life.GONE:
            return "its process is gone"
        age = f" {_age(time.time() - self.since)} ago" if self.since else ""
        place = (
            f"under another boot or host ({holder.host}, process {holder.pid})"
            if holder is not None
            else "without a lock in this DAGSTER_HOME"
        )
        return (
            f"{self.status.value}, begun{age} {place}, and left alone; if its process is gone, "
            f"`relight runs release {self.run_id}` frees what it holds"
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.condition}"


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return "1 s"


def close_abandoned_runs(instance: dg.DagsterInstance, names: Names = OWN) -> list[str]:
    """Mark unfinished runs whose process is gone as failed, and free the pool slots of all runs that are over; the ids.

    A run that may be alive elsewhere, or that never took a lock, is left alone.  May be called at any time and by
    several processes at once.  A kill at any moment leaves the rest for the next call.
    """
    closed: list[str] = []
    for run in filter(names.owns, instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))):
        with examined(instance, run.run_id) as found:
            now = instance.get_run_by_id(run.run_id) if found.life is Life.GONE else None
            if now is None or now.status not in _UNFINISHED:
                continue  # alive, nobody knows, or it ended while we looked
            _close(instance, now, _GONE)
        closed.append(run.run_id)
    _free_claims_of_ended_runs(instance, names)
    _remove_locks_of_ended_runs(instance)
    return closed


def _close(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    from sqlalchemy.exc import DatabaseError  # noqa: PLC0415  (a tenth of what loading the definitions takes)

    # In this order: who sees that the run has failed finds its slot free, and after a kill in between the run still
    # counts as unfinished, with a lock that nobody holds, for the next to close.
    free_slots(instance, run.run_id)
    try:
        mark_failed(instance, run, why)
    except DatabaseError:
        if not _mark_failed(instance, run, why):
            raise
    remove_locks(instance, run.run_id)


def _mark_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> bool:
    """Mark a run as failed whose own events cannot be written; False where its status cannot be either."""
    mark_failed_without_event(instance, run, why)
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status is dg.DagsterRunStatus.FAILURE


def _free_claims_of_ended_runs(instance: dg.DagsterInstance, names: Names) -> None:
    for run_id in _claimants(instance, names.pool):
        with examined(instance, run_id) as found:
            run = instance.get_run_by_id(run_id)
            # One that was marked as ended by somebody may still be at work on the devices.
            over = not names.prefix if run is None else run.is_finished and names.owns(run)
            if found.life is not Life.AT_WORK and over:
                free_slots(instance, run_id)
    assign_free_slots(instance, names.pool)


def _claimants(instance: dg.DagsterInstance, pool: str = OWN.pool) -> set[str]:
    """The runs that hold a slot of the pool or wait for one inside a started process."""
    claims = pool_claims(instance, pool)
    return {run_id for run_id, _ in claims.held | claims.waiting}


def _remove_locks_of_ended_runs(instance: dg.DagsterInstance) -> None:
    for run_id in runs_with_locks(instance):
        with examined(instance, run_id) as found:
            run = instance.get_run_by_id(run_id) if found.life is Life.GONE else None
            if found.life is Life.GONE and (run is None or run.is_finished):
                remove_locks(instance, run_id)


def pool_holders(instance: dg.DagsterInstance) -> list[RunState]:
    """The run of each slot of the pool that is taken."""
    claims = pool_claims(instance, OWN.pool)  # Dagster counts a slot as taken from the moment at which it is assigned
    return [_state(instance, run_id) for run_id, _ in sorted(claims.held | claims.assigned)]


def unfinished_runs(instance: dg.DagsterInstance) -> list[RunState]:
    """The runs that count as running, the oldest first, and those that are over and still hold a slot."""
    runs = [run.run_id for run in reversed(instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)))]
    return [_state(instance, run_id) for run_id in dict.fromkeys([*runs, *sorted(_claimants(instance))])]


def runs_left_alone(instance: dg.DagsterInstance) -> Iterator[RunState]:
    """The unfinished runs of which nobody here knows whether they live; not those that may be about to start."""
    for state in unfinished_runs(instance):
        young = state.since is not None and time.time() - state.since < STARTS_S
        if state.is_unsure and not (young and state.found.life is Life.UNKNOWN):
            yield state


def _state(instance: dg.DagsterInstance, run_id: str) -> RunState:
    record = instance.get_run_record_by_id(run_id)
    with examined(instance, run_id) as found:
        pass
    if record is None:
        return RunState(run_id, found)
    run = record.dagster_run
    since = record.start_time or record.create_timestamp.timestamp()
    return RunState(run_id, found, run.tags.get("dagster/partition"), run.status, since)


def release(instance: dg.DagsterInstance, prefix: str) -> str:
    """Mark a run as failed whose process is gone as a person knows, and free what it holds; what was done.

    Args:
        instance: the instance with the run.
        prefix: the run's id, or the beginning of one that is unfinished or holds a slot.

    Raises:
        UserError: no such run, or several; it waits in the queue; its process is at work here.
    """
    state = _state(instance, _run_id_of(instance, prefix))
    with examined(instance, state.run_id) as found:
        if found.life is Life.AT_WORK:
            raise UserError(
                f"{state}; nothing was released: end it first, with Terminate in the UI or Ctrl-C where it was started"
            )
        run = instance.get_run_by_id(state.run_id)
        if run is None or run.is_finished:
            free_slots(instance, state.run_id)
            remove_locks(instance, state.run_id)
            return f"{state}; it holds no slot of the pool `{OWN.pool}` any more"
        if run.status not in _UNFINISHED:
            raise UserError(f"{state}; it holds nothing that could be released, and the UI ends it")
        _close(instance, run, _RELEASED)
    return f"run {state.run_id} is marked as failed and holds no slot of the pool `{OWN.pool}` any more"


def _run_id_of(instance: dg.DagsterInstance, prefix: str) -> str:
    if instance.get_run_by_id(prefix) is not None:
        return prefix
    known = [state.run_id for state in unfinished_runs(instance)]
    found = [run_id for run_id in known if prefix and run_id.startswith(prefix)]
    if not found and prefix:  # it has ended, perhaps a moment ago, when it was found to be dead
        found = [run.run_id for run in instance.get_runs(limit=_LATEST) if run.run_id.startswith(prefix)]
    if len(found) != 1:
        which = "several runs" if found else "no run"
        raise UserError(f"{which} `{prefix}`; runs that have not ended: {', '.join(found or known) or 'none'}")
    return found[0]
