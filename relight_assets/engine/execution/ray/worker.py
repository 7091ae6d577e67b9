"""A worker on a Ray cluster, as the run's process sees it: an actor, and a thread that hears of it.

No restarts by Ray: dispatch decides what follows a death.  An actor that cannot be reached may be alive, on a node that
is cut off: it is killed all the same, and its images are given to others.  What it still writes has the same bytes.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from relight_assets.engine.execution.base import Died, Event, Events, Waiting
from relight_assets.engine.execution.messages import Item
from relight_assets.engine.execution.ray.actor import Share, WorkerActor, build
from relight_assets.engine.execution.worker_loop import LESS_MEMORY
from relight_assets.engine.hardware.usage import DeviceUsage

WAITING_S = 15.0
"""After so many seconds without a place it is said: on an idle cluster a process starts in less."""
AGAIN_S = 2.0
"""Seconds before an actor that was lost before it had a place is asked for anew."""
_SHOWN = 300
"""Characters of what Ray says."""

Placed = Callable[[str], tuple[str, str, Share]]
"""Is told the id of the node on which the worker is; gives the worker's name, the node's, and the share of it."""


@dataclass(frozen=True)
class ActorOptions:
    """What an actor is made with."""

    name: str
    """What people call its slot, before it has a place."""
    job: bytes
    cpus: int
    gpus: int
    memory: int
    """Of Ray's accounts, bytes."""
    environment: Mapping[str, str]


class ActorWorker:
    """See :class:`relight_assets.engine.execution.base.Handle`."""

    def __init__(self, slot: int, generation: int, events: Events, *, options: ActorOptions, placed: Placed):
        self._slot, self._generation, self._events = slot, generation, events
        self._options, self._placed = options, placed
        self._name, self._node = options.name, ""
        self._changes = threading.Lock()
        self._ended = False
        self._actor = _actor(options)
        self._asked: Any = None
        self._usage: DeviceUsage | None = None
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"reader {slot}")
        self._reader.start()

    def submit(self, items: list[Item]) -> None:
        """Hand over a batch, without waiting.  A dying actor loses it; its Died event says so."""
        self._actor.submit.options(concurrency_group="calls").remote(items)

    def kill(self) -> None:
        """End the actor now.  The event does not wait for an answer of its node, which may be cut off."""
        self._end()
        self.tell(Died(f"the worker on {self._name} was ended"))

    def join(self, timeout_s: float) -> None:
        """Wait for the thread, once the actor was killed."""
        self._reader.join(timeout_s)

    def usage(self) -> DeviceUsage | None:
        """How busy its GPU was when the actor last answered; it is asked again without waiting."""
        import ray

        if self._asked is not None:
            if not ray.wait([self._asked], timeout=0)[0]:
                return self._usage
            with suppress(ray.exceptions.RayError):
                self._usage = ray.get(self._asked)
        self._asked = self._actor.usage.options(concurrency_group="calls").remote()
        return self._usage

    def tell(self, event: Event) -> None:
        """Have the run hear of something that happened to this worker."""
        self._events.put((self._slot, self._generation, event))

    def _end(self) -> None:
        import ray

        with self._changes, suppress(Exception):  # it is dead, or the cluster is gone
            self._ended = True
            ray.kill(self._actor, no_restart=True)

    def _read(self) -> None:
        last_words = self._last_words()
        if not last_words.fatal:  # one that cannot load keeps its place: on that node no other could either
            self._end()
        self.tell(last_words)

    def _last_words(self) -> Died:
        """Pass on what is heard of the actor, until there is no more; why that is."""
        import ray

        try:
            for event in self._heard():
                if isinstance(event, Died):
                    return replace(event, reason=f"node {self._node}: {event.reason}")
                self.tell(event)
        except ray.exceptions.RayActorError as error:
            fatal = error.actor_init_failed
            return Died(f"the worker on {self._name} {'cannot start' if fatal else 'is gone'}: {_reason(error)}", fatal)
        except Exception as error:  # noqa: BLE001  (whatever it is, the run must hear of it)
            return Died(f"the worker on {self._name} broke down: {_reason(error)}")
        return Died(f"the worker on {self._name} ended")

    def _heard(self) -> Iterator[Event]:
        import ray

        node, theirs = yield from self._where()
        self._name, self._node, share = self._placed(node)
        if theirs != build():
            yield Died(f"relight_assets {theirs} is installed there, and {build()} here: all nodes need the same", True)
            return
        run = self._actor.run.options(num_returns="streaming", concurrency_group="work")
        for reference in run.remote(self._options.job, share.workers, share.cpus):
            yield ray.get(reference)

    def _where(self) -> Generator[Waiting, None, tuple[str, str]]:
        """Wait until the actor has a place.  One that is lost before that, with its node, is asked for anew."""
        import ray

        is_told = False
        while True:
            where = self._actor.where.options(concurrency_group="calls").remote()
            if not is_told and not ray.wait([where], timeout=WAITING_S)[0]:
                is_told = True
                yield Waiting(f"{self._name} waits for a place in the Ray cluster, or for its process to start")
            try:
                return ray.get(where)
            except ray.exceptions.RayActorError as error:
                if self._ended or error.actor_init_failed:
                    raise
            time.sleep(AGAIN_S)
            with self._changes:
                if not self._ended:
                    self._actor = _actor(self._options)


def _actor(options: ActorOptions) -> Any:
    """Ask for the actor, without waiting until it has a place."""
    import ray

    remote = ray.remote(
        num_cpus=options.cpus,
        num_gpus=options.gpus,
        memory=options.memory,
        max_restarts=0,
        max_task_retries=0,
        concurrency_groups={"work": 1, "calls": 1},
        scheduling_strategy="SPREAD",
        runtime_env={"env_vars": dict(options.environment)},
    )
    return remote(WorkerActor).remote()


def _reason(error: Exception) -> str:
    """What Ray says of an error: the last line of its message has the cause."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    text = lines[-1][:_SHOWN] if lines else type(error).__name__
    return f"{text}; {LESS_MEMORY}" if "memory" in text.lower() else text
