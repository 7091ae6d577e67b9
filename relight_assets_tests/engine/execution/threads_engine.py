"""An engine in one file: its workers are threads of this process, which nobody can end from outside."""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.engine.execution.base import Events, MakeWorker
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.worker_loop import worker_events

THREADS_ENGINE = f"{__name__}:ThreadsEngine"


class ThreadsEngine:
    """As many workers as ``cpu_workers`` says, one where it says ``auto``."""

    def __init__(self, settings: Settings, recipe: Recipe | None) -> None:
        workers = settings.cpu_workers if isinstance(settings.cpu_workers, int) else 1
        self._names = [f"thread {number}" for number in range(workers)]
        self._share = {"threads": 1, "memory_bytes": 1 << 30} if recipe is not None else {}
        self.lost: Sequence[str] = ("thread of yore",)
        self.notes: Sequence[str] = ("the workers are threads",)

    def check(self) -> None:
        """Threads need nothing."""

    @contextmanager
    def open(self, make_worker: MakeWorker, settings: Mapping[str, Any], count: int) -> Iterator["ThreadsPool"]:
        yield ThreadsPool(self._names[:count], make_worker, {**settings, **self._share})


class ThreadsPool:
    threads = 1
    start_s = 60.0

    def __init__(self, names: Sequence[str], make_worker: MakeWorker, settings: dict[str, Any]) -> None:
        self.slots: Sequence[str] = names
        self._make_worker, self._settings = make_worker, settings
        self._started: list[_Thread] = []

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "_Thread":
        settings = self._settings if batch is None else {**self._settings, "batch": batch}
        self._started.append(_Thread(slot, generation, events, self._make_worker, settings))
        return self._started[-1]

    def usage(self, slot: int) -> None:
        assert 0 <= slot < len(self.slots)

    def close(self) -> None:
        for each in self._started:
            each.finish()


class _Thread:
    def __init__(self, slot: int, generation: int, events: Events, make: MakeWorker, settings: dict[str, Any]) -> None:
        self._inbox: queue.SimpleQueue[Item | None] = queue.SimpleQueue()

        def work() -> None:
            for event in worker_events(make, settings, iter(self._inbox.get, None)):
                events.put((slot, generation, event))

        self._thread = threading.Thread(target=work, name=f"worker {slot}")
        self._thread.start()

    def submit(self, items: list[Item]) -> None:
        for item in items:
            self._inbox.put(item)

    def kill(self) -> None:
        raise AssertionError("a thread hangs, and cannot be ended")

    def finish(self) -> None:
        self._inbox.put(None)
        self._thread.join()
