"""The workers of the local engine as threads of this process: they start at once, with all that it has imported."""

import pickle
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from relight_assets.engine.execution import local
from relight_assets.engine.execution.base import Events, MakeWorker
from relight_assets.engine.execution.local_process import WorkerProcess
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.worker_loop import worker_events
from relight_assets.engine.hardware.devices import DeviceSlot


class WorkerThread:
    """In place of a WorkerProcess.  What goes in and what comes out is pickled here too."""

    def __init__(
        self,
        slot: int,
        generation: int,
        _: DeviceSlot,
        *,
        make_worker: MakeWorker,
        settings: dict[str, Any],
        events: Events,
    ) -> None:
        self._inbox: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._ended = False
        make, given = _sent((make_worker, settings))

        def work() -> None:
            for event in worker_events(make, given, self._received()):
                events.put((slot, generation, _sent(event)))

        self._thread = threading.Thread(target=work, daemon=True, name=f"worker {slot}")
        self._thread.start()

    def _received(self) -> Iterator[Item]:
        while not self._ended and (batch := self._inbox.get()) is not None:
            for item in batch:
                if not self._ended:
                    yield item

    def submit(self, items: list[Item]) -> None:
        self._inbox.put(_sent(items))

    def kill(self) -> None:
        raise AssertionError("a thread hangs, and cannot be ended")

    def finish(self) -> None:
        self._ended = True
        self._inbox.put(None)

    def join(self, _: float) -> None:
        self._thread.join()


def _sent(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  (our own)


@contextmanager
def threads_for_workers() -> Iterator[None]:
    """Workers that are started meanwhile are threads."""
    with mock.patch.object(local, "WorkerProcess", WorkerThread):
        yield


@contextmanager
def processes_for_workers() -> Iterator[None]:
    """Workers that are started meanwhile are processes, as they are for users."""
    with mock.patch.object(local, "WorkerProcess", WorkerProcess):
        yield
