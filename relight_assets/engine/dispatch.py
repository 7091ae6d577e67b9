"""Hands work out, survives the death of workers, and yields results as they come.

One policy loop over a thin engine.  Engines only start, feed and kill workers; every event of every worker
arrives in one queue of the parent, so the loop waits in one place.

* Items are pulled lazily; at most ``DEPTH`` batches are in flight per worker, which is the back-pressure.
* A worker that dies leaves its unfinished items as suspects; each is run again alone.  Only a death alone
  is a strike against an item, and ``STRIKES`` strikes quarantine it.
* A worker that gives no sign for ``hang_s`` is killed and treated as dead.
* A worker slot that dies ``BARREN`` times in a row without one result is retired; when none is left the
  run ends with :class:`~relight_assets.errors.WorkersFailedError`.  What was yielded stays done.
"""

import queue
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from relight_assets.engine.work import ImageResult, WorkItem
from relight_assets.errors import OutputFolderError, WorkersFailedError

DEPTH = 2
STRIKES = 2
BARREN = 3


@dataclass(frozen=True)
class Ready:
    """A worker has loaded its models."""


@dataclass(frozen=True)
class Died:
    """A worker is gone.

    ``fatal``: it could not load its models, so another on its slot would not either.  ``unwritable``: the
    output folder takes nothing more, so no image could be finished and the run must stop.
    """

    reason: str
    fatal: bool = False
    unwritable: bool = False


Event = Ready | Died | ImageResult


class Handle(Protocol):
    """One running worker."""

    def submit(self, items: list[WorkItem]) -> None:
        """Hand over a batch.  Each item gives one ImageResult event, in order."""

    def kill(self) -> None:
        """End the worker now; a Died event follows."""


class Engine(Protocol):
    """A place where workers run.  ``events`` receives (slot, generation, event) from all of them."""

    slots: int

    def start(self, slot: int, generation: int, events: "queue.SimpleQueue[tuple[int, int, Event]]") -> Handle:
        """Start the worker of a slot.  ``generation`` tells a replacement from the one before it."""

    def close(self) -> None:
        """End all workers and wait until they are gone."""


@dataclass(frozen=True)
class Quarantined:
    """An item that killed its worker ``STRIKES`` times, alone."""

    item: WorkItem
    reason: str


@dataclass
class _Slot:
    number: int
    handle: Handle
    generation: int = 0
    ready: bool = False
    alone: bool = False
    barren: int = 0
    last_sign: float = field(default_factory=time.monotonic)
    in_flight: dict[int, WorkItem] = field(default_factory=dict)


class _Dispatcher:
    def __init__(self, items: Iterable[WorkItem], engine: Engine, batch: int, start_s: float, hang_s: float):
        self._fresh = iter(items)
        self._engine = engine
        self._batch = batch
        self._start_s = start_s
        self._hang_s = hang_s
        self._events: queue.SimpleQueue[tuple[int, int, Event]] = queue.SimpleQueue()
        self._exhausted = False
        self._suspects: deque[WorkItem] = deque()
        self._strikes: dict[int, int] = {}
        self._slots: dict[int, _Slot] = {}

    def results(self) -> Iterator[ImageResult | Quarantined]:
        first = self._take(1)
        if not first:
            return
        self._fresh = _chain(first, self._fresh)
        for number in range(self._engine.slots):
            self._slots[number] = _Slot(number, self._engine.start(number, 0, self._events))
        while True:
            for slot in self._slots.values():
                self._feed(slot)
            if self._finished():
                return
            self._kill_silent()
            try:
                number, generation, event = self._events.get(timeout=1.0)
            except queue.Empty:
                continue
            slot = self._slots.get(number)  # type: ignore[assignment]
            if slot is None or slot.generation != generation:
                continue  # the last words of a worker that was already replaced
            slot.last_sign = time.monotonic()
            if isinstance(event, Ready):
                slot.ready = True
            elif isinstance(event, ImageResult):
                if slot.in_flight.pop(event.index, None) is not None:
                    slot.barren = 0
                    yield event
            else:
                yield from self._bury(slot, event)

    def _take(self, count: int) -> list[WorkItem]:
        taken: list[WorkItem] = []
        while len(taken) < count and not self._exhausted:
            item = next(self._fresh, None)
            if item is None:
                self._exhausted = True
            else:
                taken.append(item)
        return taken

    def _feed(self, slot: _Slot) -> None:
        if not slot.ready or (slot.alone and slot.in_flight):
            return
        slot.alone = False
        if self._suspects:
            if not slot.in_flight:
                slot.alone = True
                self._submit(slot, [self._suspects.popleft()])
            return  # let this worker run empty, so that a suspect can have it alone
        while len(slot.in_flight) <= (DEPTH - 1) * self._batch:
            items = self._take(self._batch)
            if not items:
                return
            self._submit(slot, items)

    def _submit(self, slot: _Slot, items: list[WorkItem]) -> None:
        if not slot.in_flight:
            slot.last_sign = time.monotonic()
        slot.in_flight.update((item.index, item) for item in items)
        slot.handle.submit(items)

    def _finished(self) -> bool:
        return self._exhausted and not self._suspects and not any(s.in_flight for s in self._slots.values())

    def _kill_silent(self) -> None:
        now = time.monotonic()
        for slot in self._slots.values():
            limit = self._hang_s if slot.ready else self._start_s
            if (slot.in_flight or not slot.ready) and now - slot.last_sign > limit:
                slot.last_sign = now
                slot.handle.kill()

    def _bury(self, slot: _Slot, death: Died) -> Iterator[Quarantined]:
        if death.unwritable:
            raise OutputFolderError(death.reason)
        items, alone = list(slot.in_flight.values()), slot.alone
        slot.in_flight.clear()
        slot.barren += 1
        if alone and items:
            item = items[0]
            self._strikes[item.index] = self._strikes.get(item.index, 0) + 1
            slot.barren = 0  # the item is to blame, not the slot
            if self._strikes[item.index] >= STRIKES:
                yield Quarantined(item, death.reason)
                items = []
        self._suspects.extend(items)
        if death.fatal or slot.barren >= BARREN:
            del self._slots[slot.number]
            if not self._slots:
                raise WorkersFailedError(f"no worker is left: {death.reason}")
            return
        slot.generation += 1
        slot.ready = slot.alone = False
        slot.handle = self._engine.start(slot.number, slot.generation, self._events)
        slot.last_sign = time.monotonic()


def _chain(first: list[WorkItem], rest: Iterator[WorkItem]) -> Iterator[WorkItem]:
    yield from first
    yield from rest


def run(
    items: Iterable[WorkItem], engine: Engine, *, batch: int, start_s: float, hang_s: float
) -> Generator[ImageResult | Quarantined, None, None]:
    """Process all items; results come in the order in which they are finished.

    No worker is started when there is nothing to do.  Closing the generator, or an error in it, ends all
    workers.

    Raises:
        WorkersFailedError: no worker is left to go on.
        OutputFolderError: a worker could not write.
    """
    try:
        yield from _Dispatcher(items, engine, batch, start_s, hang_s).results()
    finally:
        engine.close()
