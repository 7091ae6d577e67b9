"""What a worker process is given.  (How it ends with its parent is in faults/test_parent_deaths.py.)"""

import os
from collections.abc import Iterable, Iterator

from relight_assets.engine.devices import Slot
from relight_assets.engine.dispatch import Finished, run
from relight_assets.engine.local import WORKER_ENVIRONMENT, LocalEngine
from relight_assets.engine.work import ImageResult, WorkItem
from relight_assets.recipe import STAGES


class TellsItsEnvironment:
    """Answers with what it finds in its environment."""

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        for item in items:
            yield ImageResult(item.index, {}, numbers={"masks": dict(os.environ)})


def test_a_worker_has_its_device_and_one_thread_a_library_and_the_parent_keeps_its_own() -> None:
    before = dict(os.environ)
    engine = LocalEngine([Slot("gpu 3", {"CUDA_VISIBLE_DEVICES": "GPU-3"})], TellsItsEnvironment, {})
    outcomes = list(run([WorkItem(0, "", "", STAGES)], engine, batch=1, start_s=60, hang_s=60))
    (found,) = [outcome.result.numbers["masks"] for outcome in outcomes if isinstance(outcome, Finished)]
    assert found.items() >= {**WORKER_ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "GPU-3"}.items()
    assert dict(os.environ) == before
