"""A worker process of the local engine, with one pipe to it.

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
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from relight_assets.engine.execution.base import Died, Events, MakeWorker
from relight_assets.engine.execution.environment import WORKER_ENVIRONMENT, environment
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.worker_loop import LESS_MEMORY, died_of, worker_events
from relight_assets.engine.hardware.cgroups import memory_limit, oom_kills
from relight_assets.engine.hardware.devices import DeviceSlot

_PR_SET_PDEATHSIG = 1


class WorkerProcess:
    """See :class:`relight_assets.engine.execution.base.Handle`."""

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
