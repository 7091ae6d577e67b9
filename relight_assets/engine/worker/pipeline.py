"""Three steps that overlap inside a worker: read, segment, finish.

Threads, because all three spend their time in native code that lets go of the interpreter's lock.  The queues
between them hold images, so what bounds them is bytes: ``read`` waits for memory, and what it took is given
back when ``finish`` is through.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Task = TypeVar("Task")
Result = TypeVar("Result")

_END = object()


@dataclass(frozen=True)
class _Raised:
    error: BaseException


@dataclass(frozen=True)
class Steps(Generic[Item, Task, Result]):
    """What is done to each item.  An exception from any of them ends the pipeline."""

    read: Callable[[Item], Task]
    """In ``readers`` threads.  May wait for memory."""
    wants_segmenter: Callable[[Task], bool]
    """Whether ``segment`` is to see it at all."""
    segment: Callable[[list[Task]], None]
    """In one thread, with as many portraits as are waiting."""
    batch: Callable[[], int]
    """How many portraits ``segment`` may be given just now."""
    finish: Callable[[Task], Result]
    """In ``finishers`` threads."""


class Pipeline(Generic[Item, Task, Result]):
    """One pass over a stream of items."""

    def __init__(self, steps: Steps[Item, Task, Result], *, readers: int, finishers: int):
        self._steps = steps
        self._readers, self._finishers = readers, finishers
        self._next_item = threading.Lock()
        # Thread to thread the queues have no bound of their own; see above.
        self._to_segment: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._to_finish: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._stopped = False

    def say(self, result: Result) -> None:
        """Give a result that belongs to no item, from any thread."""
        self._results.put(result)

    def run(self, items: Iterable[Item]) -> Iterator[Result]:
        """The result of each item when it is finished.  What a step raises is raised here."""
        stream = iter(items)
        for number in range(self._readers):
            self._start(f"read {number}", lambda: self._read(stream))
        self._start("segment", self._segment)
        for number in range(self._finishers):
            self._start(f"finish {number}", self._finish)
        ended = 0
        try:
            while ended < self._finishers:
                result = self._results.get()
                if result is _END:
                    ended += 1
                elif isinstance(result, _Raised):
                    raise result.error
                else:
                    yield result  # type: ignore[misc]
        finally:
            self._stopped = True
            for _ in range(self._readers):
                self._to_segment.put(_END)
            for _ in range(self._finishers):
                self._to_finish.put(_END)

    def _start(self, name: str, step: Callable[[], None]) -> None:
        def run() -> None:
            try:
                step()
            except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
                self._results.put(_Raised(error))

        # Daemons: a reader may be waiting for an item when the process is asked to end.
        threading.Thread(target=run, name=name, daemon=True).start()

    def _read(self, stream: Iterator[Item]) -> None:
        while not self._stopped:
            with self._next_item:
                item = next(stream, _END)
            if item is _END:
                break
            portrait = self._steps.read(item)  # type: ignore[arg-type]
            onward = self._to_segment if self._steps.wants_segmenter(portrait) else self._to_finish
            onward.put(portrait)
        self._to_segment.put(_END)

    def _segment(self) -> None:
        ended = 0
        while ended < self._readers:
            waiting: list[Task] = []
            block = True  # for the first; then whoever is waiting comes along
            while len(waiting) < self._steps.batch():
                try:
                    portrait = self._to_segment.get(block)
                except queue.Empty:
                    break
                if portrait is _END:
                    ended += 1
                    break
                waiting.append(portrait)  # type: ignore[arg-type]
                block = False
            if waiting and not self._stopped:
                self._steps.segment(waiting)
                for each in waiting:
                    self._to_finish.put(each)
        for _ in range(self._finishers):
            self._to_finish.put(_END)

    def _finish(self) -> None:
        while not self._stopped:
            portrait = self._to_finish.get()
            if portrait is _END:
                break
            self._results.put(self._steps.finish(portrait))  # type: ignore[arg-type]
        self._results.put(_END)
