"""Dead runs are closed and what is over holds nothing; who lives, or may live elsewhere, is left alone."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy.exc import DatabaseError

from relight_assets.config.project import ProjectSource
from relight_assets.defs.automation import dead_runs
from relight_assets.defs.automation.dead_runs import (
    close_abandoned_runs,
    pool_holders,
    release,
    runs_left_alone,
    unfinished_runs,
)
from relight_assets.defs.names import OWN
from relight_assets.defs.resources import run_inputs
from relight_assets.defs.runs.run_locks import holding
from relight_assets.errors import UserError
from relight_assets_tests.defs.runs.test_run_locks import change, killed_while_holding

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
ENDED = [FAILURE, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED]


@dg.job
def empty() -> None: ...


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    own_instance.event_log_storage.set_concurrency_slots(OWN.pool, 1)
    return own_instance


def run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = STARTED, **tags: str) -> str:
    return instance.create_run_for_job(empty, status=status, tags=tags).run_id


def claim(instance: dg.DagsterInstance, run_id: str) -> bool:
    return instance.event_log_storage.claim_concurrency_slot(OWN.pool, run_id, "relight_images").is_claimed


def holders(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.event_log_storage.get_concurrency_info(OWN.pool).active_run_ids)


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    now = instance.get_run_by_id(run_id)
    assert now is not None
    return now.status


def locks(instance: dg.DagsterInstance) -> list[Path]:
    return list(Path(instance.root_directory).glob("relight_runs/*"))


def test_a_run_whose_process_was_killed_is_closed_and_holds_nothing(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    assert claim(instance, run)
    killed_while_holding(instance, run)
    assert close_abandoned_runs(instance) == [run]
    assert status(instance, run) is FAILURE
    assert holders(instance) == set()
    assert not locks(instance)


@pytest.mark.parametrize("ended", ENDED)
def test_a_slot_of_a_run_that_has_ended_is_freed(instance: dg.DagsterInstance, ended: dg.DagsterRunStatus) -> None:
    run, waiting = run_of(instance), run_of(instance)
    assert claim(instance, run)
    assert not claim(instance, waiting)
    _end(instance, run, ended)
    assert close_abandoned_runs(instance) == []
    assert claim(instance, waiting)


def _end(instance: dg.DagsterInstance, run_id: str, status: dg.DagsterRunStatus) -> None:
    kinds = {
        FAILURE: dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterRunStatus.SUCCESS: dg.DagsterEventType.RUN_SUCCESS,
        dg.DagsterRunStatus.CANCELED: dg.DagsterEventType.RUN_CANCELED,
    }
    instance.run_storage.handle_run_event(run_id, dg.DagsterEvent(kinds[status].value, "empty"))


def test_a_slot_of_a_run_that_was_deleted_from_the_history_is_freed(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    claim(instance, run)
    instance.delete_run(run)
    close_abandoned_runs(instance)
    assert holders(instance) == set()


def test_one_that_waited_for_a_slot_and_died_is_no_longer_in_the_queue(instance: dg.DagsterInstance) -> None:
    dead, waiting = run_of(instance), run_of(instance)
    claim(instance, dead)
    instance.event_log_storage._free_concurrency_slots(run_id=dead)  # type: ignore[attr-defined]
    assert not claim(instance, waiting)  # half freed by one who was killed in between: its place is still taken
    _end(instance, dead, FAILURE)
    close_abandoned_runs(instance)
    assert claim(instance, waiting)


def test_a_slot_that_is_meant_for_a_run_elsewhere_is_taken(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    change(killed_while_holding(instance, run), boot_id="another")
    claim(instance, run)
    instance.event_log_storage._free_concurrency_slots(run_id=run)  # type: ignore[attr-defined]
    close_abandoned_runs(instance)
    assert not claim(instance, run_of(instance))
    assert [state.run_id for state in pool_holders(instance)] == [run]


def test_a_free_slot_that_nobody_was_notified_of_is_given_to_the_next(instance: dg.DagsterInstance) -> None:
    first, waiting = run_of(instance), run_of(instance)
    claim(instance, first)
    assert not claim(instance, waiting)
    storage: Any = instance.event_log_storage
    storage._free_concurrency_slots(run_id=first)
    storage._remove_pending_steps(run_id=first)  # and killed before it notified the next
    assert not claim(instance, waiting)
    close_abandoned_runs(instance)
    assert claim(instance, waiting)


def test_a_run_that_counts_as_ended_and_is_at_work_keeps_its_slot(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    claim(instance, run)
    _end(instance, run, dg.DagsterRunStatus.CANCELED)
    with holding(instance, run):
        close_abandoned_runs(instance)
        (state,) = pool_holders(instance)
        assert f"at work on this machine, as process {os.getpid()}, although it counts as CANCELED" in str(state)
    close_abandoned_runs(instance)
    assert holders(instance) == set()


@pytest.mark.parametrize("call", ["free_concurrency_slots_for_run", "report_run_failed", "remove_locks"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_between_the_steps_of_closing_heals(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, call: str, when: str
) -> None:
    run = run_of(instance)
    claim(instance, run)
    killed_while_holding(instance, run)
    owner: Any = {"free_concurrency_slots_for_run": instance.event_log_storage, "remove_locks": dead_runs}.get(
        call, instance
    )
    real = getattr(owner, call)

    def and_die(*args: Any) -> None:
        if when == "after":
            real(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        monkeypatch.setattr(owner, call, and_die)
        close_abandoned_runs(instance)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert status(instance, run) is not FAILURE or holders(instance) == set()  # no gap between the two
    close_abandoned_runs(instance)
    assert status(instance, run) is FAILURE
    assert holders(instance) == set()
    assert not locks(instance)


def test_a_run_that_is_killed_between_its_steps_is_closed(instance: dg.DagsterInstance) -> None:
    @dg.op(required_resource_keys={OWN.run_inputs})
    def first() -> int:
        return 1

    @dg.op
    def last(context: dg.OpExecutionContext, _: int) -> None:
        assert close_abandoned_runs(context.instance) == []  # it is at work
        os.kill(os.getpid(), signal.SIGKILL)

    @dg.job(
        resource_defs={OWN.run_inputs: run_inputs(ProjectSource(os.environ).context)},
        executor_def=dg.in_process_executor,
    )
    def two_steps() -> None:
        last(first())

    child = os.fork()
    if child == 0:
        two_steps.execute_in_process(instance=instance)
    os.waitpid(child, 0)
    (run,) = instance.get_runs()
    assert run.status == STARTED
    assert close_abandoned_runs(instance) == [run.run_id]
    assert status(instance, run.run_id) is FAILURE


def test_a_run_at_work_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    with holding(instance, run):
        assert close_abandoned_runs(instance) == []
    assert status(instance, run) == STARTED


def test_a_run_of_others_that_is_about_to_start_is_left_alone_and_not_worth_a_word(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(instance)
    claim(instance, run)
    assert close_abandoned_runs(instance) == []
    assert (status(instance, run), holders(instance)) == (STARTED, {run})
    assert list(runs_left_alone(instance)) == []
    monkeypatch.setattr(dead_runs, "STARTS_S", 0.0)
    (state,) = runs_left_alone(instance)
    assert "without a lock in this DAGSTER_HOME, and left alone" in str(state)


def test_two_hosts_on_one_history_leave_each_others_runs_alone(tmp_path: Path) -> None:
    storage = f"storage:\n  sqlite:\n    base_dir: {tmp_path / 'shared'}\n"
    for host in ("one", "two"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "dagster.yaml").write_text(storage)
    with (
        dg.DagsterInstance.from_config(str(tmp_path / "one")) as one,
        dg.DagsterInstance.from_config(str(tmp_path / "two")) as two,
    ):
        run = run_of(one, **{"relight/launched_by": "relight run"})
        with holding(one, run):
            assert close_abandoned_runs(two) == []
        assert status(one, run) == STARTED


def test_a_run_of_another_boot_is_left_alone_and_named_with_its_age_until_it_is_released(
    instance: dg.DagsterInstance,
) -> None:
    run = run_of(instance, **{"dagster/partition": "train"})
    claim(instance, run)
    change(killed_while_holding(instance, run), boot_id="another", host="node-7", pid=12)
    assert close_abandoned_runs(instance) == []
    (state,) = runs_left_alone(instance)
    assert str(state).startswith(f"run {run} of split `train`: STARTED, begun ")
    assert " s ago under another boot or host (node-7, process 12), and left alone; " in str(state)
    assert f"`relight runs release {run}`" in str(state)
    assert holders(instance) == {run}
    assert "is marked as failed" in release(instance, run[:8])
    assert (status(instance, run), holders(instance), locks(instance)) == (FAILURE, set(), [])


def test_a_run_that_is_at_work_here_is_not_released(instance: dg.DagsterInstance) -> None:
    run = run_of(instance)
    with holding(instance, run), pytest.raises(UserError, match=f"as process {os.getpid()}; nothing was"):
        release(instance, run)
    assert status(instance, run) == STARTED


def test_what_is_queued_ended_or_not_there_is_reported(instance: dg.DagsterInstance) -> None:
    queued = run_of(instance, dg.DagsterRunStatus.NOT_STARTED)
    with pytest.raises(UserError, match="waiting for its turn"):
        release(instance, queued)
    ended = run_of(instance, FAILURE)
    claim(instance, ended)
    assert "ended (FAILURE); it holds no slot" in release(instance, ended)
    assert holders(instance) == set()
    with pytest.raises(UserError, match="no run `nothing`"):
        release(instance, "nothing")
    both = [run_of(instance), run_of(instance)]
    assert len(unfinished_runs(instance)) == 2
    with pytest.raises(UserError, match="no run ``; runs that have not ended"):
        release(instance, "")
    assert [status(instance, run) for run in both] == [STARTED, STARTED]


def test_a_run_that_ends_while_we_look_keeps_its_end(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(instance)
    killed_while_holding(instance, run)
    seen = instance.get_runs()
    instance.report_run_canceled(seen[0])
    monkeypatch.setattr(instance, "get_runs", lambda _: seen)
    assert close_abandoned_runs(instance) == []
    assert status(instance, run) == dg.DagsterRunStatus.CANCELED


def test_two_who_look_at_once_close_a_run_once(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(instance)
    killed_while_holding(instance, run)
    others: list[list[str]] = []
    real: Callable[..., Any] = instance.report_run_failed

    def meanwhile(*args: Any) -> Any:
        others.append(close_abandoned_runs(instance))
        return real(*args)

    monkeypatch.setattr(instance, "report_run_failed", meanwhile)
    assert close_abandoned_runs(instance) == [run]
    assert others == [[]]


def test_a_run_whose_own_events_are_damaged_stops_no_other(instance: dg.DagsterInstance) -> None:
    broken, other = run_of(instance), run_of(instance)
    for run in (broken, other):
        killed_while_holding(instance, run)
        instance.report_engine_event("begun", instance.get_run_by_id(run))
    (events,) = Path(instance.root_directory).rglob(f"{broken}.db")
    for file in events.parent.glob(f"{broken}.db*"):
        file.unlink()
    events.write_bytes(os.urandom(8192))
    with pytest.raises(DatabaseError):
        instance.report_engine_event("more", instance.get_run_by_id(broken))
    assert set(close_abandoned_runs(instance)) == {broken, other}
    assert status(instance, broken) is status(instance, other) is FAILURE


def test_ages_are_reported_in_units_of_people() -> None:
    reported = [dead_runs._age(seconds) for seconds in (0.2, 90, 3600, 5 * 3600, 3 * 86400)]
    assert reported == ["1 s", "90 s", "60 min", "5 h", "3 days"]
