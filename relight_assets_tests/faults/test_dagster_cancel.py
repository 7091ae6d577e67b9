"""Runs that are stopped in every way there is, on a real Dagster instance with its daemon and real workers.

All cases share one server and one split of many portraits: each stops the run that is at work there, and the run
that was queued behind it is what the next case stops.  So each shows that the queue moves on by itself and that
a run goes on where the one before it was stopped.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.conftest import Project
from relight_assets_tests.faults.at_work import SOME, WORKERS, Clock, Split, at_work, project_of_splits
from relight_assets_tests.faults.dagster_process import RelightDev, started
from relight_assets_tests.faults.processes import relight_command, tree_of, wait_until, workers_in
from relight_assets_tests.faults.terminal import Terminal

pytestmark = pytest.mark.servers

MANY, FEW, MORE = "many", "few", "more"
IMAGES = {MANY: 80, FEW: 4, MORE: 48}
STOPPED = "error: stopped; what is finished stays done, and the same command goes on from there"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    return project_of_splits(tmp_path_factory.mktemp("cancel"), photos, IMAGES)


@pytest.fixture(scope="module")
def dev(project: Project) -> Iterator[RelightDev]:
    with started(RelightDev(project.root)) as made:
        yield made


@pytest.fixture(scope="module")
def many(project: Project) -> Split:
    return Split(project, MANY, IMAGES[MANY])


@pytest.fixture(autouse=True)
def _log_of_the_server(dev: RelightDev) -> Iterator[None]:
    yield
    print(dev.tail())  # pytest shows it when the test failed


def test_terminate(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many, then=FEW)
    clock = Clock("Terminate", dev)

    dev.terminate(stopped.run)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "CANCELED")
    many.assert_whole()
    clock.moves_on(stopped)
    clock.reaches(stopped.queued, "SUCCESS")
    Split(many.project, FEW, IMAGES[FEW]).assert_finished()


def test_kill_9_of_the_run_with_one_worker_stopped(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)
    clock = Clock("kill -9", dev)

    os.kill(workers_in(stopped.tree)[0].pid, signal.SIGSTOP)
    os.kill(stopped.pid, signal.SIGKILL)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "FAILURE")
    many.assert_whole()
    clock.moves_on(stopped)


def test_sigterm_to_the_run(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)
    clock = Clock("SIGTERM", dev)

    os.kill(stopped.pid, signal.SIGTERM)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "FAILURE")  # CANCELED is kept for what was asked for in the UI
    many.assert_whole()
    clock.moves_on(stopped)


def test_kill_9_of_everything(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)

    dev.kill()
    many.assert_whole()
    dev.start()

    assert dev.status(stopped.run) == "FAILURE"
    assert any("The process of this run is gone" in reported for reported in dev.messages(stopped.run))
    Clock("after the start", dev).moves_on(stopped)


def test_relight_run_waits_for_a_run_of_the_ui(dev: RelightDev, many: Split) -> None:
    unfinished = dev.unfinished()
    run = unfinished[0] if unfinished else dev.launch(MANY)
    assert wait_until(lambda: dev.pool()[0] == {run} and workers_in(tree_of(dev.process_of(run)))) is not None
    workers = workers_in(tree_of(dev.process_of(run)))
    for worker in workers:  # so that it is at work until we have seen what we came for
        os.kill(worker.pid, signal.SIGSTOP)
    patient, hasty = (Terminal([relight_command(), "run", "--split", FEW], many.project.root) for _ in range(2))
    try:
        for command in (patient, hasty):
            assert wait_until(lambda c=command: f"waiting for run {run}" in c.shown or c.ended) is not None
            assert not command.ended, command.shown + command.errors
        hasty.ctrl_c()
        assert hasty.process.wait(timeout=180) == 130
        assert hasty.errors == STOPPED
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)

        Clock("the run of the UI", dev).reaches(run, "SUCCESS")
        many.assert_finished()
        assert patient.process.wait(timeout=180) == 0, patient.shown + patient.errors
        assert patient.shown.count("waiting for run") == 1
    finally:
        patient.end()
        hasty.end()


def test_relight_run_stopped_in_every_way_goes_on(dev: RelightDev, many: Split) -> None:
    split = Split(many.project, MORE, IMAGES[MORE])
    for how, exit_code in (("Ctrl-C", 130), ("SIGTERM", 130), ("kill -9", -signal.SIGKILL), ("nothing", 0)):
        before = len(split.complete())
        command = Terminal([relight_command(), "run", "--split", MORE], many.project.root)
        try:
            assert wait_until(lambda at=before: len(split.complete()) >= at + SOME) is not None, command.shown
            tree = tree_of(command.process.pid)
            assert len(workers_in(tree)) == WORKERS
            if how == "Ctrl-C":  # meanwhile the bar moves
                done = re.compile(rf"[1-9]\d*/{IMAGES[MORE]}\b")
                assert wait_until(lambda: done.search(command.shown)) is not None, command.shown  # noqa: B023
            clock = Clock(f"relight run, {how}", dev)
            if how == "Ctrl-C":
                command.ctrl_c()
            elif how == "SIGTERM":
                os.kill(tree[0].pid, signal.SIGTERM)
            elif how == "kill -9":
                os.kill(workers_in(tree)[0].pid, signal.SIGSTOP)
                os.kill(tree[0].pid, signal.SIGKILL)
            if how != "nothing":
                clock.gone(tree)
            assert command.process.wait(timeout=180) == exit_code, command.shown
            if exit_code == 130:
                assert command.errors == STOPPED
            else:  # at its end a run names the checks that warn
                assert all(line.startswith(f"warning: {MORE}: the check ") for line in command.errors.splitlines())
            split.assert_whole()
        finally:
            command.end()
    split.assert_finished()
