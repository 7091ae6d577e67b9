"""The hand-out to many workers: everything comes back, and the cost of a result does not grow with the workers."""

import importlib.util
import sys
import threading

import pytest

from benchmarks.bench.hand_out import hand_out, hand_out_by_ray, hand_out_on_cluster
from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.ray.worker import ActorWorker
from relight_assets_tests.faults.ray_nodes import NOT_INSTALLED


def test_all_that_is_handed_out_comes_back() -> None:
    assert hand_out(1000, 64) == 1000
    assert hand_out(3, 64) == 3


def test_a_result_costs_the_same_with_hundreds_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    real = dispatch._Dispatcher._feed

    def feed(dispatcher: dispatch._Dispatcher, worker: dispatch.WorkerState) -> None:
        nonlocal asked
        asked += 1
        real(dispatcher, worker)

    monkeypatch.setattr(dispatch._Dispatcher, "_feed", feed)
    assert hand_out(2000, 256) == 2000
    assert asked < 3 * 2000


def test_the_handles_and_threads_of_simulated_actors_are_the_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: set[str] = set()
    real = ActorWorker.submit
    monkeypatch.setattr(
        ActorWorker, "submit", lambda worker, items: (handed.add(worker._reader.name), real(worker, items))
    )
    before, ray = {*threading.enumerate()}, sys.modules.get("ray")
    assert hand_out_by_ray(3000, 16) == 3000
    assert handed  # whoever is ready first may take all
    assert handed <= {f"reader {slot}" for slot in range(16)}
    assert not [thread for thread in {*threading.enumerate()} - before if thread.name.startswith("reader")]
    assert sys.modules.get("ray") is ray


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason=NOT_INSTALLED)
def test_actors_of_a_real_cluster_work_too() -> None:
    assert hand_out_on_cluster(40, 2) > 0
