"""Hands work out, survives the death of workers, and yields results as they come.

One policy loop over a thin engine.  Engines only start, feed and kill workers; every event of every worker
arrives in one queue of the parent, so the loop waits in one place.

* Items are pulled lazily; at most ``DEPTH`` batches are in flight per worker, which is the back-pressure.
* A worker that dies leaves its unfinished items as suspects; each is run again alone.  Only a death alone
  is a strike against an item, and ``STRIKES`` strikes quarantine it.
* A worker that gives no result for ``hang_s`` is killed and treated as dead, and so is one that has left an
  item behind for ``hang_s`` while items handed over later were finished: the others may go on without end.
* A worker slot that dies ``BARREN`` times in a row without one result is retired; when none is left the
  run ends with :class:`~relight_assets.errors.WorkersFailedError`.  What was yielded stays done.
"""

import queue
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from relight_assets.engine.execution.messages import FilesHashed, ImageResult, Item, Result, Shrunk
from relight_assets.errors import RelightError, WorkersFailedError

DEPTH = 2
STRIKES = 2
BARREN = 3
LOOK_S = 0.5
"""How often workers are looked at for silence."""


@dataclass(frozen=True)
class Ready:
    """A worker has loaded its models."""


@dataclass(frozen=True)
class Died:
    """A worker is gone.

    ``fatal``: it could not load its models, so another on its slot would not either.  ``stops``: no image
    could be finished any more (a full disk, no more files to be opened), so the run must stop with this.
    """

    reason: str
    fatal: bool = False
    stops: RelightError | None = None


Event = Ready | Died | Result | Shrunk


class Handle(Protocol):
    """One running worker."""

    def submit(self, items: list[Item]) -> None:
        """Hand over a batch.  Each item gives one result as an event, in any order."""

    def kill(self) -> None:
        """End the worker now; a Died event follows."""


class Engine(Protocol):
    """A place where workers run.  ``events`` receives (slot, generation, event) from all of them."""

    slots: int

    def name(self, slot: int) -> str:
        """What people call the slot."""

    def start(
        self,
        slot: int,
        generation: int,
        events: "queue.SimpleQueue[tuple[int, int, Event]]",
        batch: int | None = None,
    ) -> Handle:
        """Start the worker of a slot.

        ``generation`` tells a replacement from the one before it; ``batch`` is the number of pictures that the
        slot's device was seen to hold at a time, None where that was never in question.
        """

    def close(self) -> None:
        """End all workers and wait until they are gone."""


@dataclass(frozen=True)
class Finished:
    """An item's result, and the slot that it comes from."""

    slot: int
    result: Result


@dataclass(frozen=True)
class Notice:
    """Something about the workers that a person should know; ``slot``'s worker was replaced, or not any more."""

    slot: int
    text: str
    replaced: bool = False
    given_up: bool = False


@dataclass(frozen=True)
class Quarantined:
    """An item that killed its worker ``STRIKES`` times, alone."""

    item: Item
    reason: str


Outcome = Finished | Quarantined | Notice


@dataclass
class _InFlight:
    item: Item
    overtaken: float | None = None
    """Since when an item that was handed over later is finished."""


@dataclass
class _Slot:
    number: int
    handle: Handle
    generation: int = 0
    ready: bool = False
    alone: bool = False
    hung: bool = False
    barren: int = 0
    last_sign: float = field(default_factory=time.monotonic)
    batch: int | None = None
    in_flight: dict[int, _InFlight] = field(default_factory=dict)
    """In the order in which they were handed over."""

    def finish(self, index: int) -> bool:
        """Take a finished item out of flight; false where it was not in flight."""
        if index not in self.in_flight:
            return False
        now = time.monotonic()
        for other, flight in self.in_flight.items():
            if other == index:
                break
            flight.overtaken = flight.overtaken or now
        del self.in_flight[index]
        return True

    def silent_for(self) -> float:
        """Seconds since the last result, or since the first item was left behind, whichever is longer."""
        left_behind = [f.overtaken for f in self.in_flight.values() if f.overtaken is not None]
        return time.monotonic() - min([self.last_sign, *left_behind])


class _Dispatcher:
    def __init__(self, items: Iterable[Item], engine: Engine, batch: int, start_s: float, hang_s: float):
        self._fresh = iter(items)
        self._engine = engine
        self._batch = batch
        self._start_s = start_s
        self._hang_s = hang_s
        self._events: queue.SimpleQueue[tuple[int, int, Event]] = queue.SimpleQueue()
        self._next_look = 0.0
        self._any_was_ready = False
        self._held_back: list[Notice] = []
        self._exhausted = False
        self._suspects: deque[Item] = deque()
        self._strikes: dict[int, int] = {}
        self._slots: dict[int, _Slot] = {}

    def outcomes(self) -> Iterator[Outcome]:
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
                number, generation, event = self._events.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            heard = self._slots.get(number)
            if heard is None or heard.generation != generation:
                continue  # the last words of a worker that was already replaced
            heard.last_sign = time.monotonic()
            yield from self._heed(heard, event)

    def _heed(self, slot: _Slot, event: Event) -> Iterator[Outcome]:
        if isinstance(event, Ready):
            slot.ready = self._any_was_ready = True
            yield from self._held_back
            self._held_back.clear()
        elif isinstance(event, (ImageResult, FilesHashed)):
            if slot.finish(event.index):
                slot.barren = 0
                yield Finished(slot.number, event)
        elif isinstance(event, Shrunk):
            slot.batch = event.batch
            name = self._engine.name(slot.number)
            yield Notice(slot.number, f"{name}: out of memory; at most {event.batch} pictures at a time from now on")
        else:
            yield from self._bury(slot, event)

    def _take(self, count: int) -> list[Item]:
        taken: list[Item] = []
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

    def _submit(self, slot: _Slot, items: list[Item]) -> None:
        if not slot.in_flight:
            slot.last_sign = time.monotonic()
        slot.in_flight.update((item.index, _InFlight(item)) for item in items)
        slot.handle.submit(items)

    def _finished(self) -> bool:
        return self._exhausted and not self._suspects and not any(s.in_flight for s in self._slots.values())

    def _kill_silent(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_S
        for slot in self._slots.values():
            limit = self._hang_s if slot.ready else self._start_s
            if not slot.hung and (slot.in_flight or not slot.ready) and slot.silent_for() > limit:
                slot.hung = True
                slot.handle.kill()

    def _bury(self, slot: _Slot, death: Died) -> Iterator[Outcome]:
        if death.stops:
            raise death.stops
        name = self._engine.name(slot.number)
        reason = self._hang_reason(slot, name) if slot.hung else death.reason
        items, alone = [flight.item for flight in slot.in_flight.values()], slot.alone
        slot.in_flight.clear()
        slot.barren += 1
        if alone and items:
            item = items[0]
            self._strikes[item.index] = self._strikes.get(item.index, 0) + 1
            slot.barren = 0  # the item is to blame, not the slot
            if self._strikes[item.index] >= STRIKES:
                yield Quarantined(item, reason)
                items = []
        self._suspects.extend(items)
        if death.fatal or slot.barren >= BARREN:
            del self._slots[slot.number]
            if not self._slots:
                raise WorkersFailedError(f"no worker is left: {reason}")
            yield from self._tell(Notice(slot.number, f"{name} is given up: {reason}", given_up=True))
            return
        slot.generation += 1
        slot.ready = slot.alone = slot.hung = False
        slot.handle = self._engine.start(slot.number, slot.generation, self._events, slot.batch)
        slot.last_sign = time.monotonic()
        again = f"; {len(items)} images are tried again, each alone" if items else ""
        yield from self._tell(Notice(slot.number, f"{reason}; it was replaced{again}", replaced=True))

    def _tell(self, notice: Notice) -> Iterator[Notice]:
        # If no worker ever starts, the run ends with the reason; that it was so on each of them is no news.
        if self._any_was_ready:
            yield notice
        else:
            self._held_back.append(notice)

    def _hang_reason(self, slot: _Slot, name: str) -> str:
        if not slot.ready:
            return f"the worker on {name} was not ready after start_s ({self._start_s:g} s) and was ended"
        return f"the worker on {name} gave no result for hang_s ({self._hang_s:g} s) and was ended"


def _chain(first: list[Item], rest: Iterator[Item]) -> Iterator[Item]:
    yield from first
    yield from rest


def run(
    items: Iterable[Item], engine: Engine, *, batch: int, start_s: float, hang_s: float
) -> Generator[Outcome, None, None]:
    """Process all items; results come in the order in which they are finished.

    No worker is started when there is nothing to do.  Closing the generator, or an error in it, ends all
    workers.

    Raises:
        WorkersFailedError: no worker is left to go on.
        OutputFolderError, HostLimitError: a worker could not write, or open a file.
    """
    try:
        yield from _Dispatcher(items, engine, batch, start_s, hang_s).outcomes()
    finally:
        engine.close()
