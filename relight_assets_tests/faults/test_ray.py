"""Nodes of a Ray cluster that are lost, stopped, added or not as they should be: it costs time, and no image."""

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import relight_assets
from relight_assets.engine.progress import Progress
from relight_assets.errors import WorkersFailedError
from relight_assets_tests.faults.driver import alive, wait_for
from relight_assets_tests.faults.faulty import FaultyWorker
from relight_assets_tests.faults.invariants import FaultBench, assert_heals, assert_sound
from relight_assets_tests.faults.ray_nodes import RayNodes

pytestmark = pytest.mark.engines("ray")

PHOTOS = 24
FEW = 6
HANG_S = 15.0


def once(done: int, act: Callable[[], object]) -> Callable[[Progress], None]:
    """Do something when so many images are done, in the midst of the run."""
    left = [act]

    def during(progress: Progress) -> None:
        if progress.done >= done and not progress.finished and left:
            left.pop()()

    return during


def is_loading(worker: int) -> bool:
    """Whether a worker has begun to load its models."""
    return "litert" in Path(f"/proc/{worker}/maps").read_text(encoding="utf-8", errors="replace")


def test_an_actor_that_is_killed_is_replaced(bench: FaultBench, nodes: RayNodes) -> None:
    bench.stock_up(PHOTOS)

    def kill() -> None:
        (worker,) = nodes.actors("a")
        os.kill(worker, signal.SIGKILL)

    summary = bench.start(during=once(4, kill))
    assert sum(device.replaced for device in summary.devices.values()) == 1
    assert not summary.tally.codes
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


def test_a_node_is_lost_and_another_one_joins(bench: FaultBench, nodes: RayNodes) -> None:
    bench.stock_up(PHOTOS)
    lose = once(4, lambda: nodes.kill("b"))
    joined: list[str] = []

    def during(progress: Progress) -> None:
        lose(progress)
        if not joined and any("it was replaced" in notice for notice in progress.notices):
            joined.append("c")
            nodes.add("c")
            wait_for(lambda: any(map(is_loading, nodes.actors("c"))))  # meanwhile `a` is handed nothing new

    summary = bench.start(during=during)
    assert {name.split()[-1] for name in summary.devices} == {"(a)", "(c)"}
    assert not summary.tally.codes
    assert all(device.images for device in summary.devices.values())
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


def test_an_actor_ends_with_the_raylet_of_its_node(bench: FaultBench, nodes: RayNodes) -> None:
    bench.stock_up(FEW)
    ended: list[int] = []

    def kill() -> None:
        (worker,) = nodes.actors("b")
        os.kill(nodes.raylet("b"), signal.SIGKILL)  # whose exit code nobody asks for, so that it stays as a zombie
        wait_for(lambda: not alive(worker))
        ended.append(worker)

    bench.start(during=once(1, kill))
    nodes.kill("b")
    assert ended
    assert_sound(bench, done=FEW)
    assert_heals(bench)


def test_a_node_that_is_paused_and_resumed_writes_twice_and_harms_nothing(bench: FaultBench, nodes: RayNodes) -> None:
    bench.stock_up(PHOTOS)
    writers: set[int] = set()

    def pause() -> None:
        writers.update({nodes.raylet("b"), *nodes.actors("b")})
        nodes.send("b", signal.SIGSTOP)

    summary = bench.start(during=once(4, pause), hang_s=HANG_S)
    assert summary.state.row_counts() == {"done": PHOTOS}
    assert len(writers) == 2
    nodes.wait_until_lost("b")  # a run whose images were quicker than that may have ended before
    nodes.send("b", signal.SIGCONT)
    wait_for(lambda: not any(map(alive, writers)))  # it has been given up meanwhile, and sees that
    nodes.kill("b")
    bench.start(engine="local")  # whose photos are those of its images was hashed where a file is younger
    assert_sound(bench, done=PHOTOS)
    assert_heals(bench)


WITHOUT_MODELS = {"RELIGHT_MODEL_DIR": "/nonexistent"}
ODD = {
    "without models": ("node odd: the model file .*relight models fetch"),
    "another version": (r"node odd: relight_assets 0\.1\.9 \(.*\) is installed there, and "),
    "a broken installation": ("cannot start: .*a part is missing here"),
}
"""What is wrong with a node, and what is said of it."""


def odd_environment(kind: str, folder: Path) -> dict[str, str]:
    """The environment of such a node."""
    if kind == "without models":
        return WITHOUT_MODELS
    package = Path(relight_assets.__file__).parent
    first = '__version__ = "0.1.9"\n'
    if kind == "another version":
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        (folder / package.name).mkdir()
        first = 'raise ImportError("a part is missing here")\n'
    (folder / package.name / "__init__.py").write_text(first, encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{package.parent}"}


@pytest.mark.nodes("a")
@pytest.mark.parametrize("kind", ODD)
def test_a_node_that_is_not_as_the_others_is_named_and_the_others_go_on(
    bench: FaultBench,
    nodes: RayNodes,
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(bench.folder)  # what is in the driver's working directory would come first on the nodes
    bench.stock_up(FEW)
    nodes.add("odd", environ=odd_environment(kind, tmp_path_factory.mktemp("odd")))
    summary = bench.start()
    assert [device.lost for device in summary.devices.values()].count(True) == 1
    (reason,) = [notice for notice in bench.notices if "is given up" in notice]
    assert re.search(ODD[kind], reason), reason
    assert_sound(bench, done=FEW)
    assert_heals(bench)


@pytest.mark.nodes
def test_where_no_node_is_as_it_should_be_the_run_ends_and_says_why(bench: FaultBench, nodes: RayNodes) -> None:
    bench.stock_up(2)
    nodes.add("odd", environ=WITHOUT_MODELS)
    with pytest.raises(WorkersFailedError, match=r"no worker is left: node odd: .*relight models fetch"):
        bench.start(FaultyWorker)
    assert_sound(bench, pending=2)
    assert_heals(bench)
