"""A run on a Ray cluster is killed, stopped or terminated in the UI, or the head is gone: nobody is left."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.conftest import make_project
from relight_assets_tests.faults.at_work import SOME, Clock, Split, project_of_splits
from relight_assets_tests.faults.dagster_process import RelightDev, started
from relight_assets_tests.faults.driver import driven, wait_for
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound
from relight_assets_tests.faults.processes import clean_environment, default_signals, relight_command
from relight_assets_tests.faults.ray_nodes import RayNodes, ray_nodes

pytestmark = pytest.mark.engines("ray")

PHOTOS = 12
AT = 6
OF_COMMAND = 16
"""So many that a command is at work when it is stopped."""
MANY = 40
"""So many that a run is at work when it is terminated."""
GONE_S = 10.0
"""So long the actors of a run may be there after it."""
HEAD_S = 90.0
"""So long a run may be there after the head of its cluster."""


def actors(nodes: RayNodes) -> set[int]:
    return nodes.actors("a") | nodes.actors("b")


def assert_soon_gone(nodes: RayNodes) -> None:
    start = time.monotonic()
    wait_for(lambda: not actors(nodes))
    assert time.monotonic() - start < GONE_S


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_driver_that_is_killed_leaves_no_actor_and_the_next_run_goes_on(
    bench: FaultBench, nodes: RayNodes, end: signal.Signals
) -> None:
    bench.stock_up(PHOTOS, {AT: "hold"})
    with driven(bench.job("FaultyWorker"), bench.folder) as run:
        wait_for(lambda: any(bench.folder.glob("images/*.held")) and len(bench.complete()) >= AT)
        assert len(actors(nodes)) == 2
        run.send_signal(end)
        run.wait(timeout=60)
    assert_soon_gone(nodes)
    assert_sound(bench)
    before = len(bench.complete())
    assert AT <= before < PHOTOS
    assert bench.start().tally.computed_images == PHOTOS - before
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


@pytest.fixture
def project(tmp_path: Path, stock: Path) -> Path:
    made = make_project(tmp_path / "project", stock)
    made.write_csv("train", [f"{number:02d}.png" for number in range(OF_COMMAND)])
    return made.root


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_ends_its_actors_and_the_same_command_goes_on(
    project: Path, nodes: RayNodes, engine: str, stop: signal.Signals
) -> None:
    nodes.keep("a", "b")
    command = [relight_command(), "run", "--split", "train", "--engine", engine, "--ray-address", nodes.address]
    outputs = project / "data" / "outputs" / "data-train"
    asked = {"args": command, "cwd": project, "env": clean_environment(), "preexec_fn": default_signals}
    with subprocess.Popen(**asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:  # type: ignore[call-overload]
        wait_for(lambda: len(list(outputs.glob("*_output.png"))) >= 4)
        assert len(actors(nodes)) == 2
        run.send_signal(stop)
        printed, _ = run.communicate(timeout=60)
    assert run.returncode == 130, printed
    assert "stopped; what is finished stays done" in printed
    assert_soon_gone(nodes)
    again = subprocess.run(**asked, capture_output=True, text=True, check=False)  # type: ignore[call-overload]
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(list(outputs.glob("*_output.png"))) == OF_COMMAND


@pytest.mark.servers
def test_a_run_that_is_terminated_in_the_ui_ends_its_actors_and_the_next_one_goes_on(
    tmp_path: Path, photos: Path, nodes: RayNodes, engine: str
) -> None:
    nodes.keep("a", "b")
    project = project_of_splits(tmp_path, photos, {"train": MANY})
    settings = project.root / "config" / "platform.yaml"
    settings.write_text(f"{settings.read_text()}engine: {engine}\nray: {{address: '{nodes.address}'}}\n")
    split = Split(project, "train", MANY)
    with started(RelightDev(project.root)) as dev:
        run = dev.launch("train")
        wait_for(lambda: len(split.complete()) >= SOME)
        assert len(actors(nodes)) == 2
        dev.terminate(run)
        Clock("Terminate", dev).reaches(run, "CANCELED")
        assert_soon_gone(nodes)
        split.assert_whole()
        assert len(split.complete()) < MANY
        Clock("the next run", dev).reaches(dev.launch("train"), "SUCCESS")
    split.assert_finished()


@pytest.fixture
def own_nodes(bench: FaultBench) -> Iterator[RayNodes]:
    """A cluster of the test's own, to be left without its head."""
    with ray_nodes("a", "b") as made:
        bench.use_cluster(made.address)
        yield made


def test_a_run_ends_soon_after_the_head_of_its_cluster(
    bench: FaultBench, own_nodes: RayNodes, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.stock_up(PHOTOS, {AT: "hold"})
    with driven(bench.job("FaultyWorker"), bench.folder) as run:
        wait_for(lambda: any(bench.folder.glob("images/*.held")) and len(bench.complete()) >= AT)
        own_nodes.kill_head()
        start = time.monotonic()
        run.communicate(timeout=HEAD_S + 60)
        took = time.monotonic() - start
    assert took < HEAD_S
    assert run.returncode == 1
    assert "WorkersFailedError: the head of the Ray cluster does not answer any more" in capfd.readouterr().err
    assert_sound(bench)
    assert_heals(bench)
