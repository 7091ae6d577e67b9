"""What an engine is: it finds slots for workers, and starts, feeds and ends them.  It decides nothing.

Which image goes where, what a death means and when a worker hangs is decided by
:mod:`relight_assets.engine.execution.dispatch`, which is the same for all engines.  Another engine is one module beside
this one, with a class that is made as ``(settings, recipe)`` and satisfies :class:`Engine`, and a line in
:data:`relight_assets.config.engines.ENGINES`.  What happens inside a worker's process is
:func:`relight_assets.engine.execution.worker_loop.worker_events`.
"""

import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from relight_assets.engine.execution.messages import Item, Result, Shrunk
from relight_assets.engine.hardware.usage import DeviceUsage
from relight_assets.errors import RelightError


@dataclass(frozen=True)
class Ready:
    """A worker has loaded its models."""


@dataclass(frozen=True)
class Died:
    """A worker is gone.

    ``fatal``: it could not load its models, so another in its slot would not either.  ``stops``: no image
    could be finished any more (a full disk, no more files to be opened), so the run must stop with this.
    """

    reason: str
    fatal: bool = False
    stops: RelightError | None = None


@dataclass(frozen=True)
class Waiting:
    """A worker is not started yet, and why, as a sentence."""

    reason: str


Event = Ready | Died | Waiting | Result | Shrunk
Events = queue.SimpleQueue[tuple[int, int, Event]]
"""The number of a slot, the generation of its worker, and what happened to it."""


class Worker(Protocol):
    """What runs in a process of its own: built once, where the models are loaded; sees one device."""

    def process(self, items: Iterable[Any]) -> Iterator[Result | Shrunk]:
        """Take items as they come and give each one's result when it is finished, in any order.

        Asking for the next item may wait.  One image's fault is a result, never an exception.

        Raises:
            OutputFolderError, HostLimitError: no image could be finished; the run must stop.
            DeviceFailedError: this process can do no more; another may.
        """


MakeWorker = Callable[..., Worker]
"""Makes a worker in its process, given its settings; picklable, as they are."""


class Handle(Protocol):
    """One running worker."""

    def submit(self, items: list[Item]) -> None:
        """Hand over a batch, without waiting.  Each item gives one result as an event, in any order."""

    def kill(self) -> None:
        """End the worker now; a Died event follows."""


class WorkerPool(Protocol):
    """Slots that are held for one run, numbered from 0, each for one worker at a time."""

    slots: Sequence[str]
    """What people call each slot; a name may change once it is known where its worker is."""
    threads: int
    """Stage threads of each worker."""
    start_s: float
    """Seconds in which a worker must be ready."""

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> Handle:
        """Start the worker of a slot; what happens to it is put into ``events``.

        ``generation`` tells a replacement from the one before it; ``batch`` is the number of images that the
        slot's device was seen to hold at a time, None where that was never in question.
        """

    def usage(self, slot: int) -> DeviceUsage | None:
        """How busy the device of a slot is; None where there is none, or it cannot be known."""

    def close(self) -> None:
        """End all workers and wait until they are gone."""


class Engine(Protocol):
    """Where the workers of one run may be."""

    lost: Sequence[str]
    """Names of slots that were meant to be used and cannot be."""
    notes: Sequence[str]
    """What a person should know of the slots."""

    def check(self) -> None:
        """See that workers could start, as far as that is known without starting one: one clear error, not many.

        Raises:
            UserError: a model file, a package or a file of the user's is missing or cannot be used.
        """

    def open(
        self, make_worker: MakeWorker, settings: Mapping[str, Any], count: int
    ) -> AbstractContextManager[WorkerPool]:
        """Hold at most ``count`` slots, at least one, while the block runs.

        ``make_worker(**settings)`` is called in each worker's process.  Where workers follow a recipe, the engine adds
        ``threads`` and ``memory_bytes`` to the settings: a worker's share of the machine that it is on.

        Raises:
            DeviceBusyError: other runs hold the devices.
        """
