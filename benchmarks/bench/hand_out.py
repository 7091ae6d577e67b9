"""What the coordinator pays to hand images out to many workers: those of this machine, and those of a Ray cluster.

Simulated workers live in the coordinator's process and are done with an image as soon as they have it, so that hundreds
need no memory.  Of Ray the pool, the workers' handles and their threads are the real ones, above a stand-in for Ray
itself; what Ray pays to reach another process shows on a real cluster alone.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from benchmarks.bench.dispatching import EchoWorker
from relight_assets.config.settings import Settings
from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.base import Events, Ready
from relight_assets.engine.execution.messages import ImageResult, Item, WorkItem
from relight_assets.engine.execution.ray.actor import Job, WorkerActor, build
from relight_assets.engine.execution.ray.cluster import Node
from relight_assets.engine.execution.ray.engine import Plan, RayEngine, RayPool
from relight_assets.stages.registry import stage_names

_DONE = ImageResult(0, dict.fromkeys(stage_names(), "computed"))
_BATCH = 4
_NODE = Node("node", "node", cpus=1, gpus=0, memory=1)
_END: Any = None


class _EchoPool:
    """Slots whose workers are done with each item as soon as they have it, within the coordinator's process."""

    threads, start_s = 1, 120.0

    def __init__(self, slots: int):
        self.slots: Sequence[str] = [f"slot {number}" for number in range(slots)]

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "_EchoHandle":  # noqa: ARG002  (its name is the protocol's)
        events.put((slot, generation, Ready()))
        return _EchoHandle(slot, generation, events)

    def usage(self, slot: int) -> None:  # noqa: ARG002
        return None

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _EchoHandle:
    slot: int
    generation: int
    events: Events

    def submit(self, items: list[Item]) -> None:
        for item in items:
            self.events.put((self.slot, self.generation, replace(_DONE, index=item.index)))

    def kill(self) -> None:
        pass


def hand_out(count: int, slots: int) -> int:
    """Hand ``count`` items out to so many simulated slots of this machine; how many came back."""
    return _handed_out(count, _EchoPool(slots))


def hand_out_by_ray(count: int, slots: int) -> int:
    """Hand ``count`` items out to so many simulated actors of Ray; how many came back."""
    job = Job(EchoWorker, {"like": _DONE}, None, Settings(threads=1), on_gpu=False)
    pool = RayPool(slots, Plan(slots, on_gpu=False, cpus=1, memory=1), job, [_NODE])
    with patch.dict(sys.modules, {"ray": _SimulatedRay()}):
        try:
            return _handed_out(count, pool)
        finally:
            pool.close()


def hand_out_on_cluster(count: int, slots: int) -> float:
    """CPU seconds of the coordinator for ``count`` items and so many actors on a Ray cluster of this machine.

    The cluster is started for it, and ended.  From the first result on: the start of workers is no hand-out.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(num_cpus=slots, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        with RayEngine(Settings(threads=1), None).open(EchoWorker, {"like": _DONE}, slots) as pool:
            times: list[float] = []
            _handed_out(count, pool, lambda: times.append(time.process_time()))
            return times[-1] - times[0]
    finally:
        ray.shutdown()


def _handed_out(count: int, pool: Any, on_result: Callable[[], object] = lambda: None) -> int:
    items = (WorkItem(number, f"{number}.png", f"/{number}.png", stage_names()) for number in range(count))
    found = 0
    for event in dispatch.run(items, pool, batch=_BATCH, start_s=120, hang_s=120):
        if isinstance(event, dispatch.Finished):
            on_result()
            found += 1
    return found


class _SimulatedRay(ModuleType):
    """Of Ray what a pool asks of it; an actor works in the thread that hears of it."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.exceptions = ModuleType("ray.exceptions")
        self.exceptions.RayError = self.exceptions.RayActorError = RuntimeError  # type: ignore[attr-defined]

    def remote(self, **_: object) -> Callable[[type[WorkerActor]], Any]:
        """As a decorator with options; a class of actors has ``remote`` to make one."""
        return lambda _: SimpleNamespace(remote=_actor)

    def get(self, answer: Any) -> Any:
        return answer

    def wait(self, answers: list[Any], timeout: float | None = None) -> tuple[list[Any], list[Any]]:  # noqa: ARG002
        return answers, []

    def kill(self, actor: SimpleNamespace, *, no_restart: bool) -> None:  # noqa: ARG002
        actor.end()

    def nodes(self) -> list[Any]:
        return []


def _actor() -> SimpleNamespace:
    actor = WorkerActor()
    return SimpleNamespace(
        where=_method(lambda: (_NODE.id, build())),
        run=_method(actor.run),
        submit=_method(actor.submit),
        end=lambda: actor.submit([_END]),  # which no worker can process
    )


def _method(function: Callable[..., Any]) -> SimpleNamespace:
    remote = SimpleNamespace(remote=function)
    return SimpleNamespace(options=lambda **_: remote)
