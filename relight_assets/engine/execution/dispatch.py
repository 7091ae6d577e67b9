"""Hands work out, survives the death of workers, and yields results as they come.

One policy loop over the pool of any engine.  Pools only start, feed and kill workers; every event of every worker
arrives in one queue of the parent, so the loop waits in one place.

* Items are pulled lazily; at most ``DEPTH`` batches are in flight per worker, which is the back-pressure.
* A worker that dies leaves its unfinished items as suspects; each is run again alone.  Only a death alone
  is a strike against an item, and ``STRIKES`` strikes quarantine it.
* A worker that gives no result for ``hang_s`` is killed and treated as dead, and so is one that has left an
  item behind for ``hang_s`` while items handed over later were finished: the others may go on without end.
* A worker slot that dies ``MAX_FRUITLESS_DEATHS`` times in a row without one result is retired; when none is left the
  run ends with :class:`~relight_assets.errors.WorkersFailedError`.  What was yielded stays done.
"""

import queue
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field

from relight_assets.engine.execution.base import Died, Event, Events, Handle, Ready, Waiting, WorkerPool
from relight_assets.engine.execution.messages import FilesHashed, ImageResult, Item, Result, Shrunk
from relight_assets.errors import WorkersFailedError

DEPTH = 4
"""Batches that a worker has at most: one on its device, one waiting for that, one in its threads, and one for those or
on its way.  With fewer, a device that is as fast as the cores is kept waiting (benchmarks/bench/schedule.py)."""
STRIKES = 2
"""Deaths alone: one may be chance."""
MAX_FRUITLESS_DEATHS = 3
"""In a row, without a result: the slot is to blame."""
POLL_S = 0.5
"""Seconds between two looks for workers that are silent."""


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


DispatchEvent = Finished | Quarantined | Notice


@dataclass
class _InFlight:
    item: Item
    stalled_since: float | None = None
    """Since when an item that was handed over later is finished."""


@dataclass
class WorkerState:
    """What is known of the worker in a slot."""

    slot: int
    handle: Handle
    generation: int = 0
    ready: bool = False
    alone: bool = False
    hung: bool = False
    fruitless_deaths: int = 0
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
            flight.stalled_since = flight.stalled_since or now
        del self.in_flight[index]
        return True

    def silent_for(self) -> float:
        """Seconds since the last result, or since the first item was left behind, whichever is longer."""
        left_behind = [f.stalled_since for f in self.in_flight.values() if f.stalled_since is not None]
        return time.monotonic() - min([self.last_sign, *left_behind])


class _Dispatcher:
    def __init__(
        self, items: Iterable[Item], pool: WorkerPool, *, batch: int, share: int | None, start_s: float, hang_s: float
    ):
        self._fresh = iter(items)
        self._pool = pool
        self._batch = batch
        self._most = DEPTH * batch if share is None else min(DEPTH * batch, share)
        self._start_s = start_s
        self._hang_s = hang_s
        self._events: Events = queue.SimpleQueue()
        self._next_poll = 0.0
        self._any_was_ready = False
        self._held_back: list[Notice] = []
        self._exhausted = False
        self._suspects: deque[Item] = deque()
        self._strikes: dict[int, int] = {}
        self._workers: dict[int, WorkerState] = {}

    def events(self) -> Iterator[DispatchEvent]:
        first = self._take(1)
        if not first:
            return
        self._fresh = _chain(first, self._fresh)
        for slot in range(len(self._pool.slots)):
            self._workers[slot] = WorkerState(slot, self._pool.start(slot, 0, self._events))
        heard: WorkerState | None = None
        while True:
            # Who was heard may take more, and with hundreds of workers to ask all of them each time would be slow.
            # Only while images wait to be tried alone, and once they no longer do, another may.
            had_suspects = bool(self._suspects)
            for worker in [heard] if heard is not None and not had_suspects else [*self._workers.values()]:
                self._feed(worker)
            if self._finished():
                return
            self._kill_silent()
            heard = None
            try:
                slot, generation, event = self._events.get(timeout=POLL_S)
            except queue.Empty:
                continue
            worker_of_slot = self._workers.get(slot)
            if worker_of_slot is None or worker_of_slot.generation != generation:
                continue  # the last words of a worker that was already replaced
            worker_of_slot.last_sign = time.monotonic()
            yield from self._on_event(worker_of_slot, event)
            heard = worker_of_slot if slot in self._workers and not had_suspects else None

    def _on_event(self, worker: WorkerState, event: Event) -> Iterator[DispatchEvent]:
        if isinstance(event, Ready):
            worker.ready = self._any_was_ready = True
            yield from self._held_back
            self._held_back.clear()
        elif isinstance(event, (ImageResult, FilesHashed)):
            if worker.finish(event.index):
                worker.fruitless_deaths = 0
                yield Finished(worker.slot, event)
        elif isinstance(event, Shrunk):
            worker.batch = event.batch
            name = self._pool.slots[worker.slot]
            yield Notice(worker.slot, f"{name}: out of memory; at most {event.batch} images at a time from now on")
        elif isinstance(event, Waiting):
            yield Notice(worker.slot, event.reason)
        else:
            yield from self._on_worker_exit(worker, event)

    def _take(self, count: int) -> list[Item]:
        taken: list[Item] = []
        while len(taken) < count and not self._exhausted:
            item = next(self._fresh, None)
            if item is None:
                self._exhausted = True
            else:
                taken.append(item)
        return taken

    def _feed(self, worker: WorkerState) -> None:
        if not worker.ready or (worker.alone and worker.in_flight):
            return
        worker.alone = False
        if self._suspects:
            if not worker.in_flight:
                worker.alone = True
                self._submit(worker, [self._suspects.popleft()])
            return  # let this worker run empty, so that a suspect can have it alone
        while len(worker.in_flight) + self._batch <= self._most:
            items = self._take(self._batch)
            if not items:
                return
            self._submit(worker, items)

    def _submit(self, worker: WorkerState, items: list[Item]) -> None:
        if not worker.in_flight:
            worker.last_sign = time.monotonic()
        worker.in_flight.update((item.index, _InFlight(item)) for item in items)
        worker.handle.submit(items)

    def _finished(self) -> bool:
        return self._exhausted and not self._suspects and not any(worker.in_flight for worker in self._workers.values())

    def _kill_silent(self) -> None:
        if time.monotonic() < self._next_poll:
            return
        self._next_poll = time.monotonic() + POLL_S
        for worker in self._workers.values():
            limit = self._hang_s if worker.ready else self._start_s
            if not worker.hung and (worker.in_flight or not worker.ready) and worker.silent_for() > limit:
                worker.hung = True
                worker.handle.kill()

    def _on_worker_exit(self, worker: WorkerState, death: Died) -> Iterator[DispatchEvent]:
        if death.stops:
            raise death.stops
        name = self._pool.slots[worker.slot]
        reason = self._hang_reason(worker, name) if worker.hung else death.reason
        items, alone = [flight.item for flight in worker.in_flight.values()], worker.alone
        worker.in_flight.clear()
        worker.fruitless_deaths += 1
        if alone and items:
            item = items[0]
            self._strikes[item.index] = self._strikes.get(item.index, 0) + 1
            worker.fruitless_deaths = 0  # the item is to blame, not the slot
            if self._strikes[item.index] >= STRIKES:
                yield Quarantined(item, reason)
                items = []
        self._suspects.extend(items)
        if death.fatal or worker.fruitless_deaths >= MAX_FRUITLESS_DEATHS:
            del self._workers[worker.slot]
            if not self._workers:
                raise WorkersFailedError(f"no worker is left: {reason}")
            yield from self._notify(Notice(worker.slot, f"{name} is given up: {reason}", given_up=True))
            return
        worker.generation += 1
        worker.ready = worker.alone = worker.hung = False
        worker.handle = self._pool.start(worker.slot, worker.generation, self._events, worker.batch)
        worker.last_sign = time.monotonic()
        again = f"; {len(items)} images are tried again, each alone" if items else ""
        yield from self._notify(Notice(worker.slot, f"{reason}; it was replaced{again}", replaced=True))

    def _notify(self, notice: Notice) -> Iterator[Notice]:
        # If no worker ever starts, the run ends with the reason; that it was so on each of them is no news.
        if self._any_was_ready:
            yield notice
        else:
            self._held_back.append(notice)

    def _hang_reason(self, worker: WorkerState, name: str) -> str:
        if not worker.ready:
            return f"the worker on {name} was not ready after start_s ({self._start_s:g} s) and was ended"
        return f"the worker on {name} gave no result for hang_s ({self._hang_s:g} s) and was ended"


def _chain(first: list[Item], rest: Iterator[Item]) -> Iterator[Item]:
    yield from first
    yield from rest


def hand_out_size(batch: int, pool: WorkerPool, count: int) -> int:
    """Images that a worker is handed at a time, of ``count`` in all; ``batch``: of the segmenter.

    Enough for every thread of a worker, and little enough that all workers have something.
    """
    return max(1, min(max(batch, pool.threads), count // (len(pool.slots) * DEPTH)))


def run(
    items: Iterable[Item], pool: WorkerPool, *, batch: int, start_s: float, hang_s: float, share: int | None = None
) -> Generator[DispatchEvent, None, None]:
    """Process all items; results come in the order in which they are finished.

    ``batch`` of them are handed out at a time.  A worker has ``DEPTH`` batches at most, and ``share`` items, where that
    is given: of a few, the worker that is ready first must not have all.

    No worker is started when there is nothing to do.  Closing the generator, or an error in it, ends all
    workers.

    Raises:
        WorkersFailedError: no worker is left to go on.
        OutputFolderError, HostLimitError: a worker could not write, or open a file.
    """
    try:
        yield from _Dispatcher(items, pool, batch=batch, share=share, start_s=start_s, hang_s=hang_s).events()
    finally:
        pool.close()
