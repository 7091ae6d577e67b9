"""The engine of this machine: a worker process for each GPU, or some on the CPU."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.base import Events, MakeWorker
from relight_assets.engine.execution.local_process import WorkerProcess
from relight_assets.engine.hardware.devices import (
    DeviceSlot,
    hashing_slots,
    memory_per_worker,
    threads_per_worker,
    worker_places,
)
from relight_assets.engine.hardware.gpu_locks import reserved
from relight_assets.engine.hardware.nvml import usage
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.engine.worker.requirements import check_requirements

_TERMINATE_S = 3.0
"""Seconds that workers have to end by themselves, once they are asked to."""


class LocalEngine:
    """A worker process for each GPU of this machine, or some on its CPU."""

    def __init__(self, settings: Settings, recipe: Recipe | None):
        """Find the slots; raises as :func:`relight_assets.engine.hardware.devices.worker_places`."""
        self._settings, self._recipe = settings, recipe
        found = hashing_slots() if recipe is None else worker_places(settings, segmenter=recipe.segmenter)
        self._slots = found.slots
        self.lost: Sequence[str] = found.lost
        self.notes: Sequence[str] = found.notes

    def check(self) -> None:
        """See that workers could start on this machine."""
        if self._recipe is not None:
            check_requirements(self._recipe, self._settings, on_gpu=self._slots[0].device is not None)

    @contextmanager
    def open(self, make_worker: MakeWorker, settings: Mapping[str, Any], count: int) -> Iterator["LocalPool"]:
        """Hold slots whose GPUs no other run of this user has; a number in ``num_gpus`` means so many, or none."""
        all_needed = isinstance(self._settings.num_gpus, int)
        with reserved(self._slots, min(count, len(self._slots)), all_needed=all_needed) as slots:
            threads = threads_per_worker(self._settings, len(slots))
            share = {"threads": threads, "memory_bytes": memory_per_worker(self._settings, len(slots))}
            given = {**settings, **(share if self._recipe else {})}
            yield LocalPool(slots, make_worker, given, threads, self._settings.start_s)


class LocalPool:
    """Worker processes on this machine."""

    def __init__(
        self,
        slots: Sequence[DeviceSlot],
        make_worker: MakeWorker,
        settings: dict[str, Any],
        threads: int = 1,
        start_s: float = 120.0,
    ):
        """``make_worker(**settings)`` is called in each process; both must be picklable."""
        self.slots: Sequence[str] = [slot.name for slot in slots]
        self.threads, self.start_s = threads, start_s
        self._devices = slots
        self._make_worker = make_worker
        self._settings = settings
        self._handles: list[WorkerProcess] = []

    def usage(self, slot: int) -> DeviceUsage | None:
        """How busy the GPU of a slot is, as the driver says."""
        device = self._devices[slot].device
        return usage(device) if device is not None else None

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "WorkerProcess":
        """Start the worker of a slot; ``batch``: what is known to fit into its device's memory."""
        with _interrupts_deferred():
            handle = WorkerProcess(
                slot,
                generation,
                self._devices[slot],
                make_worker=self._make_worker,
                settings=self._settings if batch is None else {**self._settings, "batch": batch},
                events=events,
            )
            self._handles.append(handle)
        return handle

    def close(self) -> None:
        """End all workers; none is left when this returns."""
        with _interrupts_deferred():
            for handle in self._handles:
                handle.finish()
            deadline = time.monotonic() + _TERMINATE_S
            for handle in self._handles:
                handle.join(deadline)
            self._handles.clear()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Ctrl-C and SIGTERM take effect when the block ends.

    A worker that was started and not noted, or asked for its end only half, is never ended, and the interpreter
    waits for it for ever when it exits.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread():
        ours = {}  # handlers run in the main thread alone
    arrived: list[int] = []
    for number in ours:
        signal.signal(number, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for late in arrived[:1]:
            signal.raise_signal(late)
