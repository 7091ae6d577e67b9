"""What actors are given on their nodes, and what is said of one that has no place."""

import importlib.util
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import RayCluster, Settings
from relight_assets.engine.execution.dispatch import Finished, Notice, run
from relight_assets.engine.execution.environment import WORKER_ENVIRONMENT
from relight_assets.engine.execution.messages import HashItem, ImageResult, WorkItem
from relight_assets.engine.execution.ray import worker
from relight_assets.engine.execution.ray.engine import RayEngine
from relight_assets.stages.registry import stage_names
from relight_assets_tests.faults.ray_nodes import NOT_INSTALLED, RayNodes, ray_nodes

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    """A node with one CPU, and one whose two GPUs are only in Ray's accounts."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip(NOT_INSTALLED)
    with ray_nodes("small") as made:
        made.add("gpus", cpus=2, gpus=2)
        yield made


class TellsWhatItIsGiven:
    """Answers with its environment and its settings, and takes so long that each of two workers has an item."""

    def __init__(self, **settings: object) -> None:
        self._given = {name: settings[name] for name in ("threads", "memory_bytes") if name in settings}
        self._environment = Path("/proc/self/environ").read_bytes().decode().split("\0")  # when the process began

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        for item in items:
            time.sleep(2.0)
            told = {"began": self._environment, "now": dict(os.environ), "given": self._given}
            yield ImageResult(item.index, {}, message=json.dumps(told))


def settings(nodes: RayNodes, **ray: int) -> Settings:
    return Settings(engine="ray", memory_mib=100, ray=RayCluster(address=nodes.address, **ray))


def test_each_gpu_of_ray_s_accounts_has_one_worker(nodes: RayNodes, tmp_path: Path, model_files: None) -> None:
    items = [WorkItem(number, "", "", stage_names()) for number in range(4)]
    engine = RayEngine(settings(nodes), Recipe())
    with engine.open(TellsWhatItIsGiven, {"folder": tmp_path}, len(items)) as pool:
        assert [*pool.slots] == ["ray 0", "ray 1"]
        outcomes = list(run(items, pool, batch=1, share=2, start_s=60, hang_s=60))
        assert sorted(pool.slots) == ["ray 0 (gpus)", "ray 1 (gpus)"]
    told = [json.loads(outcome.result.message) for outcome in outcomes if isinstance(outcome, Finished)]  # type: ignore[union-attr]
    assert len(told) == len(items)
    assert {each["now"]["CUDA_VISIBLE_DEVICES"] for each in told} == {"0", "1"}
    for each in told:
        assert {f"{name}={value}" for name, value in WORKER_ENVIRONMENT.items()} <= set(each["began"])
        assert each["given"] == {"threads": 1, "memory_bytes": 100 << 20}


def test_a_worker_without_a_place_is_told_of_and_holds_nobody_up(
    nodes: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "WAITING_S", 3.0)
    items = [HashItem(number, (str(tmp_path),)) for number in range(8)]
    engine = RayEngine(settings(nodes, slots=2, cpus_per_worker=2), None)
    with engine.open(TellsWhatItIsGiven, {}, len(items)) as pool:
        outcomes = list(run(items, pool, batch=1, start_s=60, hang_s=60))
        (placed, without) = sorted(pool.slots, key=lambda name: "(" not in name)
    assert placed.endswith("(gpus)")
    assert engine.notes == ["the Ray cluster has room for 1 of 2 workers; the others wait for nodes that join"]
    said = {outcome.text for outcome in outcomes if isinstance(outcome, Notice)}
    assert f"{without} waits for a place in the Ray cluster, or for its process to start" in said
    assert sum(isinstance(outcome, Finished) for outcome in outcomes) == len(items)
