"""Runs of the command line in the instance: dead processes, and the pool."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main as relight
from relight_assets.config.settings import Settings
from relight_assets.defs.runs.instance import instance_of
from relight_assets.defs.runs.pool import wait_for_pool
from relight_assets_tests.conftest import PORTRAITS, Project, make_project


@dg.job
def empty() -> None: ...


@pytest.fixture
def project(tmp_path: Path, photos: Path) -> Project:
    made = make_project(tmp_path, photos)
    made.write_csv("train", PORTRAITS[:2])
    return made


def command(project: Project, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "relight"), *arguments],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def wait_for_pool_claim(project: Project) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        home = project.root / ".dagster_home"
        if list(home.glob("relight_runs/*.lock")):
            with dg.DagsterInstance.from_config(str(home)) as instance:
                if instance.event_log_storage.get_concurrency_info("gpu").active_slot_count:
                    return
        time.sleep(0.1)
    raise AssertionError("the run never claimed the pool")


def statuses(project: Project) -> list[str]:
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        return sorted(run.status.value for run in instance.get_runs())


def test_a_killed_run_neither_keeps_the_pool_nor_shows_as_running(project: Project) -> None:
    first = command(project, "run", "--split", "train")
    wait_for_pool_claim(project)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = command(project, "run", "--split", "train")
    output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output
    assert statuses(project) == ["FAILURE", "SUCCESS"]


def test_a_live_run_is_not_taken_for_dead_and_is_waited_for(project: Project) -> None:
    first = command(project, "run", "--split", "train")
    wait_for_pool_claim(project)
    second = command(project, "run", "--split", "train")
    outputs = [process.communicate(timeout=180)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert statuses(project) == ["SUCCESS", "SUCCESS"]


def claimed_by(project: Project, status: dg.DagsterRunStatus) -> str:
    """A run that has the only slot of the pool."""
    with instance_of(
        Settings(csv_dir=project.data, dagster_home=project.root / ".dagster_home"), project.root
    ) as instance:
        run = instance.create_run_for_job(empty, status=status).run_id
        assert instance.event_log_storage.claim_concurrency_slot("gpu", run, "relight_images").is_claimed
    return run


def lines_of(process: "subprocess.Popen[str]", until: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if until in line:
            return read
    raise AssertionError(read)


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """What takes longer, in this process, is interrupted by a ``TimeoutError``."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("ended", ["FAILURE", "SUCCESS", "CANCELED"])
def test_a_slot_of_a_run_that_has_ended_keeps_nobody_waiting(
    project: Project, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed_by(project, dg.DagsterRunStatus[ended])
    monkeypatch.chdir(project.root)
    with within(180):
        run = CliRunner().invoke(relight, ["run", "--split", "train", "--num-samples", "1"])
    assert run.exit_code == 0, run.output
    assert "waiting" not in run.output


def test_a_run_of_which_nobody_knows_is_waited_for_and_said_how_to_release(project: Project) -> None:
    held = claimed_by(project, dg.DagsterRunStatus.STARTED)
    waiting = command(project, "run", "--split", "train", "--num-samples", "1")
    said = lines_of(waiting, "which has the devices")
    assert f"waiting for run {held}, which has the devices: STARTED, begun" in said
    assert f"`relight runs release {held}`" in said
    released = command(project, "runs", "release", held)
    assert "is marked as failed" in released.communicate(timeout=60)[0]
    output, _ = waiting.communicate(timeout=180)
    assert waiting.returncode == 0, output
    assert "waiting" not in output  # it was said once


def test_a_pool_of_limit_0_is_said_once_and_ctrl_c_ends_the_wait(project: Project) -> None:
    with instance_of(
        Settings(csv_dir=project.data, dagster_home=project.root / ".dagster_home"), project.root
    ) as instance:
        instance.event_log_storage.set_concurrency_slots("gpu", 0)
    waiting = command(project, "run", "--split", "train")
    said = lines_of(waiting, "has limit 0")
    assert "set it in the UI (`relight dev`) under Deployment > Concurrency" in said
    time.sleep(5)  # it looks every two seconds
    os.kill(waiting.pid, signal.SIGINT)
    output, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "limit 0" not in output
    assert "Traceback" not in output
    assert statuses(project) == []


def test_an_instance_without_limits_is_not_waited_for(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        wait_for_pool(instance, pytest.fail)


def test_an_interrupted_run_says_that_it_goes_on_later(project: Project) -> None:
    first = command(project, "run", "--split", "train")
    wait_for_pool_claim(project)
    os.kill(first.pid, signal.SIGINT)
    output, _ = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "goes on from there" in output
    assert "Traceback" not in output
