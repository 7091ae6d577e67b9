"""The engine of this machine: one spawned process and one pipe per worker.

Why one pipe each and no shared queue: a queue's lock stays held for ever when its holder is killed.  Why
spawn from the main thread: the parent-death signal is tied to the thread that started the process, and under
a fork server it would watch the server.  A second pipe, the lifeline, ends a worker whose parent is gone on
systems that have no such signal.
"""

import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.base import Died, Events, MakeWorker
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.worker_loop import LESS_MEMORY, died_of, worker_events
from relight_assets.engine.hardware.cgroups import memory_limit, oom_kills
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

WORKER_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"),
    # Pictures are a few megabytes each: given back to the system after each use, half of the time of the masks
    # and of the albedo goes into page faults.  One arena for all threads, because the others' heaps of 64 MiB are
    # given back as soon as they are empty.  glibc reads these at start-up; elsewhere they mean nothing.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_ARENA_MAX": "1",
}
"""What every worker process finds in its environment."""

_PR_SET_PDEATHSIG = 1
_TERMINATE_S = 3.0


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
            yield LocalPool(slots, make_worker, {**settings, **(share if self._recipe else {})}, threads)


class LocalPool:
    """Worker processes on this machine."""

    def __init__(
        self, slots: Sequence[DeviceSlot], make_worker: MakeWorker, settings: dict[str, Any], threads: int = 1
    ):
        """``make_worker(**settings)`` is called in each process; both must be picklable."""
        self.slots: Sequence[str] = [slot.name for slot in slots]
        self.threads = threads
        self._devices = slots
        self._make_worker = make_worker
        self._settings = settings
        self._handles: list[_Process] = []

    def usage(self, slot: int) -> DeviceUsage | None:
        """How busy the GPU of a slot is, as the driver says."""
        device = self._devices[slot].device
        return usage(device) if device is not None else None

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "_Process":
        """Start the worker of a slot; ``batch``: what is known to fit into its device's memory."""
        with _interrupts_deferred():
            handle = _Process(
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


class _Process:
    def __init__(
        self,
        slot: int,
        generation: int,
        device: DeviceSlot,
        *,
        make_worker: MakeWorker,
        settings: dict[str, Any],
        events: Events,
    ):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_worker_main,
            args=(theirs, lifeline, os.getpid(), make_worker, settings),
            name=f"relight worker, {device.name}",
        )
        self._oom_kills = oom_kills()
        with environment({**WORKER_ENVIRONMENT, **device.environment}):
            self._process.start()
        theirs.close()
        lifeline.close()
        self._reader = threading.Thread(
            target=self._read, args=(slot, generation, device.name, events), daemon=True, name=f"reader {slot}"
        )
        self._reader.start()
        self._outbox: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, daemon=True, name=f"writer {slot}")
        self._writer.start()

    def submit(self, items: list[Item]) -> None:
        """Hand over a batch, without waiting."""
        self._outbox.put(items)

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()

    def finish(self) -> None:
        """Ask the process to end."""
        self._outbox.put(None)
        self._lifeline.close()
        self._process.terminate()

    def join(self, deadline: float) -> None:
        """Wait for the end of the process until ``deadline`` (``time.monotonic``), then insist."""
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.join()
        self._writer.join()
        self._pipe.close()
        self._process.close()

    def _write(self) -> None:
        # Its own thread: a pipe takes some 200 kB, and whoever feeds all workers must not wait for one of them.
        while (items := self._outbox.get()) is not None:
            try:
                self._pipe.send(items)
            except OSError:
                return  # it is dying and loses the batch; its Died event says so

    def _read(self, slot: int, generation: int, name: str, events: Events) -> None:
        last_words: Died | None = None
        while last_words is None:
            try:
                event = self._pipe.recv()
            except (EOFError, OSError):
                break
            if isinstance(event, Died):
                last_words = event
            else:
                events.put((slot, generation, event))
        self._process.join()
        ending = Died(f"the worker on {name} {_ending(self._process.exitcode, self._oom_kills)}")
        events.put((slot, generation, last_words or ending))


def _ending(exit_code: int | None, oom_kills_before: int | None) -> str:
    if exit_code == -signal.SIGKILL:
        return _killed(oom_kills_before)
    if exit_code is not None and exit_code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


def _killed(oom_kills_before: int | None) -> str:
    """Why somebody has sent SIGKILL, as far as the kernel tells: it counts those that it sends itself."""
    kills = oom_kills()
    if kills is not None and kills == oom_kills_before:
        return "was ended by SIGKILL, and not by the kernel for want of memory"
    limit = memory_limit()
    most = f"; all processes of {limit.group} together may have {limit.limit >> 20:,} MiB" if limit else ""
    return f"was ended by SIGKILL, as the kernel does when memory runs out{most}; {LESS_MEMORY}"


class environment:  # noqa: N801  (reads as a statement)
    """The environment of a child, in place while it is spawned; the parent's is restored."""

    def __init__(self, values: dict[str, str]):
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _worker_main(
    pipe: Connection,
    lifeline: Connection,
    parent: int,
    make_worker: MakeWorker,
    settings: dict[str, Any],
) -> None:
    _die_with(parent, lifeline)
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for event in worker_events(make_worker, settings, _received(pipe)):
            pipe.send(event)
    except OSError:
        pass  # nobody listens any more
    except Exception as error:  # noqa: BLE001  (a result that cannot be sent)
        pipe.send(died_of(error))
    pipe.close()
    os._exit(0)  # at once: threads may still be inside native code


def _received(pipe: Connection) -> Iterator[Item]:
    while True:
        try:
            batch = pipe.recv()
        except EOFError:
            return
        yield from batch


def _die_with(parent: int, lifeline: Connection) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def watch() -> None:
        with suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()
