"""What the parent pays for each item, and whether it grows: a worker that does nothing, behind a real pipe."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.dispatch import Finished
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.engine.progress import ProgressWriter
from relight_assets.engine.tally import Tally
from relight_assets.stages.registry import stage_names


class EchoWorker:
    """Answers every item at once, with a real image's result."""

    def __init__(self, like: ImageResult):
        self.like = like

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        """One result per item."""
        for item in items:
            yield replace(self.like, index=item.index)


@dataclass(frozen=True)
class DispatchCost:
    """The parent's CPU per item, and its memory after a tenth of the items and after all."""

    ms_per_item: float
    rss_mib_tenth: float
    rss_mib_all: float


def dispatch_once(like: ImageResult, count: int, batch: int, folder: Path) -> DispatchCost:
    """Send ``count`` items through one worker and count the results as a run does.  In a process of its own."""
    items = (
        WorkItem(number, f"portraits/{number:05d}.png", f"/portraits/{number:05d}.png", stage_names())
        for number in range(count)
    )
    engine = LocalPool([DeviceSlot("cpu 0")], EchoWorker, {"like": like})
    tally, progress = Tally(), ProgressWriter(folder / "progress.json", "bench", count)
    start = tenth = done = 0.0
    for event in dispatch.run(items, engine, batch=batch, start_s=120, hang_s=120):
        if not (isinstance(event, Finished) and isinstance(event.result, ImageResult)):
            continue
        start = start or time.process_time()  # from the first result on: the worker's start is not dispatch
        tally.add(event.result.outcomes, event.result.code)
        progress.count(failed=event.result.failed)
        done += 1
        if done == count // 10:
            tenth = _rss_mib()
        if done == count:
            spent = time.process_time() - start
    return DispatchCost(1000.0 * spent / (count - 1), tenth, _rss_mib())


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
