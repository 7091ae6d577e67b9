"""What happens in a worker's process, the same under every engine: it loads, works, and says why it ended."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relight_assets.engine.execution.base import Died, Event, MakeWorker, Ready
from relight_assets.engine.execution.messages import Item
from relight_assets.errors import HostLimitError, OutputFolderError, RelightError

LESS_MEMORY = "fewer workers (cpu_workers, num_gpus), fewer threads or a smaller memory_mib take less"


def worker_events(make_worker: MakeWorker, settings: Mapping[str, Any], items: Iterable[Item]) -> Iterator[Event]:
    """Make a worker and have it process items: Ready, the results, and at last Died where it can do no more."""
    try:
        worker = make_worker(**settings)
    except RelightError as error:
        yield Died(str(error), fatal=True)
        return
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent must hear of it)
        yield Died(f"a worker could not start: {type(error).__name__}: {error}", fatal=True)
        return
    yield Ready()
    try:
        yield from worker.process(items)
    except Exception as error:  # noqa: BLE001  (its images are tried again alone)
        yield died_of(error)


def died_of(error: Exception) -> Died:
    """The end of a worker that was ready."""
    if isinstance(error, OutputFolderError | HostLimitError):
        return Died(str(error), stops=error)
    if isinstance(error, RelightError):
        return Died(str(error))
    if isinstance(error, MemoryError):
        return Died(f"the worker ran out of memory; {LESS_MEMORY}")
    return Died(f"the worker broke down: {type(error).__name__}: {error}")
