"""What a run takes of a cluster, and what is said where that cannot be."""

import importlib.util
from typing import Any

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import RayCluster, Settings
from relight_assets.engine.execution.ray.actor import Share
from relight_assets.engine.execution.ray.cluster import Node
from relight_assets.engine.execution.ray.engine import RayEngine, plan_of
from relight_assets.engine.execution.registry import make_engine
from relight_assets.engine.hardware import devices
from relight_assets.engine.hardware.devices import MAX_HASHING
from relight_assets.errors import ConfigError, GpuUnavailableError
from relight_assets_tests.faults.ray_nodes import NOT_INSTALLED

GIB = 1 << 30
HEAD = Node("0", "head", cpus=0, gpus=0, memory=8 * GIB)
SMALL = Node("1", "small", cpus=6, gpus=0, memory=3 * GIB)
LARGE = Node("2", "large", cpus=64, gpus=0, memory=256 * GIB)
GPUS = Node("3", "gpus", cpus=96, gpus=8, memory=512 * GIB)
SAM3 = Recipe.model_validate({"segmenter": "sam3"})


def settings(num_gpus: int | str = "auto", **ray: Any) -> Settings:
    return Settings(engine="ray", num_gpus=num_gpus, ray=RayCluster(**ray))


@pytest.mark.parametrize(
    ("nodes", "asked", "slots", "on_gpu"),
    [
        ([HEAD, SMALL, LARGE], settings(), 3 + 64, False),  # a small node has no memory for all of its CPUs
        ([HEAD, SMALL, LARGE], settings(cpus_per_worker=4), 1 + 16, False),  # no worker is on two nodes
        ([HEAD, SMALL], settings(slots=50), 50, False),  # nodes will join
        ([HEAD, LARGE, GPUS], settings(), 8, True),
        ([HEAD, LARGE, GPUS], settings(3), 3, True),
        ([HEAD, LARGE, GPUS], settings(cpus_per_worker=24), 4, True),
        ([LARGE, GPUS], settings("none"), 64 + 96, False),
    ],
)
def test_one_worker_for_each_gpu_or_for_some_cpus(nodes: list[Node], asked: Settings, slots: int, on_gpu: bool) -> None:
    plan = plan_of(nodes, asked, Recipe())
    assert (plan.slots, plan.on_gpu) == (slots, on_gpu)


def test_hashing_takes_cpus_and_no_more_than_a_disk_serves() -> None:
    plan = plan_of([LARGE, GPUS], settings(), None)
    assert (plan.slots, plan.on_gpu) == (MAX_HASHING, False)


@pytest.mark.parametrize(
    ("nodes", "asked", "recipe", "error", "reported"),
    [
        ([HEAD], settings(), Recipe(), ConfigError, r"^the 1 node of .* takes 1 CPU .* together 0 CPUs"),
        ([SMALL], settings(cpus_per_worker=8), Recipe(), ConfigError, r"takes 8 CPUs .*together 6 CPUs"),
        ([LARGE, GPUS], settings(9), Recipe(), ConfigError, r"num_gpus asks for 9 GPUs, .* have 8"),
        ([LARGE], settings(), SAM3, GpuUnavailableError, r"`segmenter: sam3` needs a GPU, .*num_gpus: none"),
    ],
)
def test_a_cluster_that_cannot_do_it_is_refused(
    nodes: list[Node], asked: Settings, recipe: Recipe, error: type[Exception], reported: str
) -> None:
    with pytest.raises(error, match=reported):
        plan_of(nodes, asked, recipe)


def test_a_worker_has_its_share_of_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of([GPUS, SMALL], settings(), Recipe())
    assert plan.share(GPUS) == Share(workers=8, cpus=12)
    monkeypatch.setattr(devices, "cores", lambda: 96)
    assert Share(8, 12).threads(settings()) == 12
    assert Share(8, 4).threads(settings()) == 4  # the node gives Ray fewer than it has
    monkeypatch.setattr(devices, "cores", lambda: 16)
    assert Share(8, 12).threads(settings()) == 2  # a container gives less than Ray was told
    assert Share(8, 12).threads(Settings(threads=7)) == 7


def test_where_ray_is_not_installed_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"^`engine: ray`: the package `ray` is not installed: .*\[ray\]"):
        make_engine(settings(), Recipe())


def test_no_cluster_is_one_sentence() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip(NOT_INSTALLED)
    engine = RayEngine(settings(address="127.0.0.1:1"), Recipe())
    with (
        pytest.raises(ConfigError, match=r"^ray.address 127.0.0.1:1: no Ray cluster can be joined: .*`ray status`"),
        engine.open(dict, {}, 1),
    ):
        pass
