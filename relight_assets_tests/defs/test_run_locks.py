"""Dead runs are closed, live ones and those of others are left alone."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from relight_assets.defs import run_locks
from relight_assets.defs.run_locks import COMMAND, LAUNCHED_BY, RUN_LOCK, RunLock, close_abandoned_runs, holding

STARTED = dg.DagsterRunStatus.STARTED


@dg.job
def empty() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def killed_while_holding(instance: dg.DagsterInstance, run_id: str, part: str) -> None:
    child = os.fork()
    if child == 0:
        with holding(instance, run_id, part):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    now = instance.get_run_by_id(run.run_id)
    assert now is not None
    return now.status


def test_a_run_whose_process_was_killed_is_closed_whoever_launched_it(instance: dg.DagsterInstance) -> None:
    from_ui = instance.create_run_for_job(empty, status=STARTED)
    from_command = instance.create_run_for_job(empty, status=STARTED, tags={LAUNCHED_BY: COMMAND})
    killed_while_holding(instance, from_ui.run_id, "steps")
    killed_while_holding(instance, from_command.run_id, "launch")
    assert set(close_abandoned_runs(instance)) == {from_ui.run_id, from_command.run_id}
    assert status(instance, from_ui) == status(instance, from_command) == dg.DagsterRunStatus.FAILURE
    assert not list(Path(instance.root_directory).rglob("*.lock"))


def test_a_run_that_is_killed_between_its_steps_is_closed(instance: dg.DagsterInstance) -> None:
    @dg.op(required_resource_keys={RUN_LOCK})
    def first() -> int:
        return 1

    @dg.op
    def last(context: dg.OpExecutionContext, _: int) -> None:
        assert close_abandoned_runs(context.instance) == []  # it is at work
        os.kill(os.getpid(), signal.SIGKILL)

    @dg.job(resource_defs={RUN_LOCK: RunLock()}, executor_def=dg.in_process_executor)
    def two_steps() -> None:
        last(first())

    child = os.fork()
    if child == 0:
        two_steps.execute_in_process(instance=instance)
    os.waitpid(child, 0)
    (run,) = instance.get_runs()
    assert run.status == STARTED
    assert close_abandoned_runs(instance) == [run.run_id]
    assert status(instance, run) == dg.DagsterRunStatus.FAILURE


def test_a_run_at_work_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(empty, status=STARTED, tags={LAUNCHED_BY: COMMAND})
    with holding(instance, run.run_id, "launch"):
        assert close_abandoned_runs(instance) == []
    assert status(instance, run) == STARTED


def test_a_run_of_others_that_is_about_to_start_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(empty, status=STARTED)
    assert close_abandoned_runs(instance) == []
    assert status(instance, run) == STARTED


def test_a_run_that_ends_while_we_look_keeps_its_end(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.create_run_for_job(empty, status=STARTED, tags={LAUNCHED_BY: COMMAND})
    seen = instance.get_runs()
    instance.report_run_canceled(run)
    monkeypatch.setattr(instance, "get_runs", lambda _: seen)
    assert close_abandoned_runs(instance) == []
    assert status(instance, run) == dg.DagsterRunStatus.CANCELED


def test_a_lock_is_never_there_without_being_held(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.create_run_for_job(empty, status=STARTED)
    looks = []

    def look_around(name: str) -> None:
        real = getattr(Path, name)

        def with_looks(path: Path, *args: Any, **options: Any) -> Any:
            looks.append(close_abandoned_runs(instance))
            done = real(path, *args, **options)
            looks.append(close_abandoned_runs(instance))
            return done

        monkeypatch.setattr(Path, name, with_looks)

    look_around("rename")  # it takes its lock
    look_around("unlink")  # it lets go of it, and ends a moment later
    with holding(instance, run.run_id, "steps"):
        assert len(looks) == 2
    assert looks == [[]] * 4
    assert status(instance, run) == STARTED


def test_a_run_that_lets_go_of_its_lock_while_we_look_is_left_alone(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.create_run_for_job(empty, status=STARTED)
    real = os.open
    with ExitStack() as stack:
        stack.enter_context(holding(instance, run.run_id, "steps"))

        def and_then_it_lets_go(path: Any, flags: int, *args: Any, **options: Any) -> int:
            file = real(path, flags, *args, **options)
            stack.close()
            return file

        monkeypatch.setattr(run_locks.os, "open", and_then_it_lets_go)
        assert close_abandoned_runs(instance) == []
    assert status(instance, run) == STARTED


def test_two_who_look_at_once_close_a_run_once(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    run = instance.create_run_for_job(empty, status=STARTED)
    killed_while_holding(instance, run.run_id, "steps")
    others: list[list[str]] = []
    real = instance.report_run_failed

    def meanwhile(*args: Any) -> Any:
        others.append(close_abandoned_runs(instance))
        return real(*args)

    monkeypatch.setattr(instance, "report_run_failed", meanwhile)
    assert close_abandoned_runs(instance) == [run.run_id]
    assert others == [[]]
