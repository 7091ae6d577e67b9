"""What runs on a node of a Ray cluster: the same worker as under any engine, behind an inbox.

Nothing here imports Ray at the top: the class becomes an actor in :mod:`relight_assets.engine.execution.ray.worker`.
What a worker needs is looked at, and its share is computed, here, because nodes differ from each other and from the
machine that the run is on.
"""

import os
import pickle
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import relight_assets
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.base import Event, MakeWorker, Worker
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.worker_loop import worker_events
from relight_assets.engine.hardware import nvml
from relight_assets.engine.hardware.cuda_devices import visible_devices
from relight_assets.engine.hardware.devices import memory_per_worker, threads_per_worker
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.engine.worker.requirements import check_requirements
from relight_assets.errors import OutputFolderError
from relight_assets.storage.folders import write_fault

_PARENT_S = 1.0
"""Seconds between two looks at who the parent process is."""


@dataclass(frozen=True)
class Job:
    """What the workers of one run are made with."""

    make_worker: MakeWorker
    worker_settings: Mapping[str, Any]
    recipe: Recipe | None
    """None: they hash files, and need neither models nor a share of the node."""
    settings: Settings
    on_gpu: bool


@dataclass(frozen=True)
class Share:
    """A worker's share of its node."""

    workers: int
    """So many workers the node has room for."""
    cpus: int
    """Of the CPUs that the node gives Ray, for each of them."""

    def threads(self, settings: Settings) -> int:
        """Stage threads: as set, or an even share of the node's cores, and no more than Ray may use."""
        if isinstance(settings.threads, int):
            return settings.threads
        return min(threads_per_worker(settings, self.workers), self.cpus)


class WorkerActor:
    """One worker in a process of its own.  ``run`` goes on until that is ended; the other calls come meanwhile."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[list[Item]] = queue.SimpleQueue()
        self._device: str | None = None

    def where(self) -> tuple[str, str]:
        """The id of the node, and the build of the package there.  Plain text, which every version understands.

        This is the first call: from now on the process ends with the node's own.
        """
        from ray import get_runtime_context

        end_with_parent()
        return get_runtime_context().get_node_id(), build()

    def run(self, job: bytes, workers: int, cpus: int) -> Iterator[Event]:
        """Make the worker and have it process what is submitted; ``job`` is a pickled :class:`Job`."""
        yield from worker_events(_make, {"job": job, "share": Share(workers, cpus)}, self._received())

    def submit(self, items: list[Item]) -> None:
        """Hand over a batch."""
        self._inbox.put(items)

    def usage(self) -> DeviceUsage | None:
        """How busy the GPU is that Ray gave to this process, as the node's driver says."""
        if self._device is None:
            devices = visible_devices(os.environ, nvml.read_driver()).devices
            self._device = devices[0].uuid if devices else ""
        return nvml.usage(self._device) if self._device else None

    def _received(self) -> Iterator[Item]:
        while True:
            yield from self._inbox.get()


def _make(job: bytes, share: Share) -> Worker:
    """The worker, with its share of this node, once all that it needs was found here.

    Raises:
        UserError: a model, a package or the split's folder is missing here.
    """
    what: Job = pickle.loads(job)  # noqa: S301  (the run's own)
    given = dict(what.worker_settings)
    if what.recipe is not None:
        _check_folder(given["folder"])
        check_requirements(what.recipe, what.settings, on_gpu=what.on_gpu)
        given["threads"] = share.threads(what.settings)
        given["memory_bytes"] = memory_per_worker(what.settings, share.workers)
    return what.make_worker(**given)


def _check_folder(folder: Path) -> None:
    """See that the split's folder is here: one that is not mounted must not stop the other nodes."""
    fault = write_fault(folder) if folder.is_dir() else "it is not there"
    if fault is not None:
        raise OutputFolderError(
            f"{folder} cannot be written here: {fault}; all nodes must see output_root at one path (docs/scale.md)"
        )


def end_with_parent() -> None:
    """Have this process end soon after the one that started it: on a node, Ray's raylet.

    Ray itself only sees whether there is a process of that number.  There is until somebody asks for its exit code, and
    in a container whose first process never asks, a worker would go on holding its memory and its GPU.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:  # a process whose parent has ended is given another one
            time.sleep(_PARENT_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()


@cache
def build() -> str:
    """Version and sources of the package, such as ``0.2.0 (3f1c9a0b12de)``: equal where the code is."""
    sources = sha256()
    root = Path(relight_assets.__file__).parent
    for path in sorted(root.rglob("*.py")):
        sources.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{relight_assets.__version__} ({sources.hexdigest()[:12]})"
