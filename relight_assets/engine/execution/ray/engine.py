"""The engine of a Ray cluster: a worker for each GPU of its nodes, or for some of their CPUs."""

import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.wording import counted
from relight_assets.engine.execution.base import Died, Events, MakeWorker
from relight_assets.engine.execution.environment import WORKER_ENVIRONMENT
from relight_assets.engine.execution.ray.actor import Job, Share
from relight_assets.engine.execution.ray.cluster import Node, alive_nodes, connected, require_ray
from relight_assets.engine.execution.ray.head import HeadWatch
from relight_assets.engine.execution.ray.worker import ActorOptions, ActorWorker
from relight_assets.engine.hardware.cuda_devices import VISIBLE
from relight_assets.engine.hardware.devices import MAX_HASHING, NETWORK_MEMORY, WORKER_MEMORY
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.errors import ConfigError, GpuUnavailableError, WorkersFailedError
from relight_assets.models.registry import SEGMENTERS

HEAD_LOST = (
    "the head of the Ray cluster does not answer any more: it is down, or cut off. What is finished stays done, and "
    "the next run goes on from there"
)
_JOIN_S = 5.0
"""Seconds in which the threads of killed actors end; they end with the process at the latest."""


@dataclass(frozen=True)
class Plan:
    """What of a cluster a run takes."""

    slots: int
    on_gpu: bool
    cpus: int
    """Of each worker."""
    memory: int
    """Of each worker, of Ray's accounts, bytes; 0 with a GPU, which bounds their number by itself."""

    def room(self, node: Node) -> int:
        """For how many of the workers a node has room."""
        return node.room(self.cpus, self.memory, on_gpu=self.on_gpu)

    def share(self, node: Node) -> Share:
        """A worker's share of a node."""
        workers = max(1, self.room(node))
        return Share(workers, max(1, node.cpus // workers))


class RayEngine:
    """Workers on the nodes of a Ray cluster."""

    def __init__(self, settings: Settings, recipe: Recipe | None):
        """Nothing is asked yet: to join a cluster takes seconds.

        Raises:
            ConfigError: Ray is not installed.
        """
        require_ray()
        self._settings, self._recipe = settings, recipe
        self.lost: Sequence[str] = ()
        self.notes: Sequence[str] = ()

    def check(self) -> None:
        """What workers need must be on the nodes, where each of them looks before it starts."""

    @contextmanager
    def open(self, make_worker: MakeWorker, settings: Mapping[str, Any], count: int) -> Iterator["RayPool"]:
        """Join the cluster while the block runs.

        Raises:
            ConfigError: there is no such cluster, or its nodes have no room.
            GpuUnavailableError: the segmenter needs a GPU and no node has one.
        """
        with connected(self._settings):
            nodes = alive_nodes()
            plan = plan_of(nodes, self._settings, self._recipe)
            room = sum(map(plan.room, nodes))
            slots = min(count, plan.slots)
            if room < slots:
                note = f"the Ray cluster has room for {room} of {slots} workers; the others wait for nodes that join"
                self.notes = [note]
            # What is secret stays here.
            shown = self._settings.model_copy(update={"alert_webhook": None})
            job = Job(make_worker, dict(settings), self._recipe, shown, plan.on_gpu)
            pool = RayPool(slots, plan, job, nodes)
            try:
                yield pool
            finally:
                pool.close()


def plan_of(nodes: Sequence[Node], settings: Settings, recipe: Recipe | None) -> Plan:
    """What a run takes of a cluster; ``recipe`` None: its workers hash files.

    Raises:
        ConfigError: more GPUs are asked for than there are, or there is no room for a worker.
        GpuUnavailableError: the segmenter needs a GPU and no node has one.
    """
    ray, needs_gpu = settings.ray, recipe is not None and SEGMENTERS[recipe.segmenter].needs_gpu
    gpus = sum(node.gpus for node in nodes)
    on_gpu = recipe is not None and settings.num_gpus != "none" and gpus > 0
    if isinstance(settings.num_gpus, int) and recipe is not None and settings.num_gpus > gpus:
        raise ConfigError(
            f"num_gpus asks for {settings.num_gpus} GPUs, and the nodes of the Ray cluster have {gpus}; use `auto`, a "
            "smaller number, or `none` for the CPU"
        )
    if needs_gpu and not on_gpu and settings.num_gpus != "none":
        raise GpuUnavailableError(
            f"`segmenter: {recipe and recipe.segmenter}` needs a GPU, and no node of the Ray cluster has one. To work "
            "on the CPU on purpose, set num_gpus: none in config/platform.yaml (RELIGHT_NUM_GPUS=none)"
        )
    memory = 0 if on_gpu else NETWORK_MEMORY if needs_gpu else WORKER_MEMORY
    plan = Plan(0, on_gpu, ray.cpus_per_worker, memory)
    room = sum(map(plan.room, nodes))
    asked = settings.num_gpus if on_gpu and isinstance(settings.num_gpus, int) else room
    slots = ray.slots if isinstance(ray.slots, int) else asked
    if slots < 1:
        raise ConfigError(
            f"the {counted(len(nodes), 'node')} of the Ray cluster: no room for a worker, which takes "
            f"{counted(plan.cpus, 'CPU')} (ray.cpus_per_worker) and {memory >> 20:,} MiB; there are together "
            f"{counted(sum(node.cpus for node in nodes), 'CPU')}. Add nodes, or set ray.slots to the number of workers "
            "that nodes will join for"
        )
    return replace(plan, slots=slots if recipe is not None else min(slots, MAX_HASHING))


class RayPool:
    """Workers on the nodes of a Ray cluster."""

    def __init__(self, count: int, plan: Plan, job: Job, nodes: Sequence[Node]):
        """``count`` workers; ``nodes`` are those that are there when the run starts."""
        self.slots: list[str] = [f"ray {number}" for number in range(count)]
        self.threads = max((plan.share(node).cpus for node in nodes), default=1)
        if isinstance(job.settings.threads, int):
            self.threads = job.settings.threads
        self.start_s = job.settings.ray.start_s
        self._plan, self._job = plan, job
        self._environment = {**WORKER_ENVIRONMENT, **({} if plan.on_gpu else {VISIBLE: ""})}
        self._nodes = {node.id: node for node in nodes}
        self._workers: dict[int, ActorWorker] = {}
        self._head: HeadWatch | None = None
        self._head_is_lost = False

    def usage(self, slot: int) -> DeviceUsage | None:
        """How busy the GPU of a slot was a moment ago, as its node says."""
        worker = self._workers.get(slot)
        return worker.usage() if worker is not None and self._plan.on_gpu else None

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> ActorWorker:
        """Ask for the worker of a slot; ``batch``: what is known to fit into a device's memory."""
        if self._head is None:
            self._head = HeadWatch(alive_nodes, self._lose_head)
        given = self._job.worker_settings if batch is None else {**self._job.worker_settings, "batch": batch}
        self.slots[slot] = f"ray {slot}"
        options = ActorOptions(
            self.slots[slot],
            pickle.dumps(replace(self._job, worker_settings=given)),
            self._plan.cpus,
            int(self._plan.on_gpu),
            self._plan.memory,
            self._environment,
        )
        worker = ActorWorker(slot, generation, events, options=options, placed=lambda node: self._placed(slot, node))
        self._workers[slot] = worker
        return worker

    def _lose_head(self) -> None:
        self._head_is_lost = True
        for worker in [*self._workers.values()]:
            worker.tell(Died("", stops=WorkersFailedError(HEAD_LOST)))

    def _placed(self, slot: int, node_id: str) -> tuple[str, str, Share]:
        if node_id not in self._nodes:  # it has joined since
            self._nodes.update((node.id, node) for node in alive_nodes())
        node = self._nodes[node_id]
        self.slots[slot] = f"ray {slot} ({node.name})"
        return self.slots[slot], node.name, self._plan.share(node)

    def close(self) -> None:
        """End all workers; without the head nobody can be asked to, and they end by themselves."""
        if self._head is not None:
            self._head.close()
        if self._head_is_lost:
            return
        for worker in self._workers.values():
            worker.kill()
        deadline = time.monotonic() + _JOIN_S
        for worker in self._workers.values():
            worker.join(max(0.0, deadline - time.monotonic()))
        self._workers.clear()
