"""The policy loop over real worker processes that crash, hang and refuse to start."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from relight_assets.engine import dispatch
from relight_assets.engine.devices import Slot
from relight_assets.engine.dispatch import Finished, Notice, Quarantined
from relight_assets.engine.local import LocalEngine
from relight_assets.engine.work import ImageResult, WorkItem
from relight_assets.errors import ModelFileError, WorkersFailedError
from relight_assets.recipe import STAGES


class ToyWorker:
    """Does what the item's path says."""

    def __init__(self, fault: str = "") -> None:
        if fault == "refuse":
            raise ModelFileError("the model file is missing; run `relight models fetch`")
        if fault == "crash":
            os._exit(7)

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        return map(self.do, items)

    def do(self, item: WorkItem) -> ImageResult:
        action, _, argument = item.image_path.partition(" ")
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if action == "exit":
            os._exit(3)
        if action == "nap":
            time.sleep(0.05)
        if action == "hang":
            time.sleep(3600)
        if action == "once" and not os.path.exists(argument):  # noqa: PTH110
            open(argument, "w").close()  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGSEGV)
        return ImageResult(item.index, {}, numbers={"masks": {"device": os.environ.get("CUDA_VISIBLE_DEVICES")}})


def items(*actions: str) -> list[WorkItem]:
    return [WorkItem(index, action, "", STAGES) for index, action in enumerate(actions)]


def engine(slots: int = 2, fault: str = "") -> LocalEngine:
    places = [Slot(f"gpu {number}", {"CUDA_VISIBLE_DEVICES": f"GPU-{number}"}) for number in range(slots)]
    return LocalEngine(places, ToyWorker, {"fault": fault})


def run(work: Any, on: LocalEngine, **options: Any) -> Iterator[Any]:
    """The results and quarantined items; notices are left out."""
    for outcome in dispatch.run(work, on, **{"batch": 3, "start_s": 60, "hang_s": 60, **options}):
        if not isinstance(outcome, Notice):
            yield outcome.result if isinstance(outcome, Finished) else outcome


def test_every_item_gives_one_result_and_each_worker_sees_one_device() -> None:
    results = list(run(items(*["nap"] * 80), engine()))
    assert sorted(result.index for result in results) == list(range(80))
    assert {result.numbers["masks"]["device"] for result in results} == {"GPU-0", "GPU-1"}


def test_nothing_to_do_starts_no_worker() -> None:
    class Untouched(LocalEngine):
        def start(self, *_: Any) -> Any:
            raise AssertionError("a worker was started")

    assert list(run([], Untouched([Slot("cpu 0")], ToyWorker, {}))) == []


@pytest.mark.parametrize("fault", ["kill", "exit"])
def test_an_item_that_always_kills_is_quarantined_and_costs_nobody_else(fault: str) -> None:
    actions = ["ok"] * 12
    actions[5] = fault
    results = list(run(items(*actions), engine()))
    killed = [result for result in results if isinstance(result, Quarantined)]
    assert [each.item.index for each in killed] == [5]
    assert ("SIGKILL" if fault == "kill" else "exit code 3") in killed[0].reason
    assert sorted(r.index for r in results if isinstance(r, ImageResult)) == [i for i in range(12) if i != 5]


def test_one_death_alone_is_no_verdict(tmp_path: Any) -> None:
    results = list(run(items("ok", f"once {tmp_path / 'flag'}", "ok"), engine(1)))
    assert sorted(result.index for result in results) == [0, 1, 2]
    assert all(isinstance(result, ImageResult) for result in results)


def test_a_hanging_item_is_killed_and_quarantined() -> None:
    results = list(run(items("ok", "hang", "ok"), engine(1), hang_s=1.5))
    assert [type(result).__name__ for result in sorted(results, key=lambda r: getattr(r, "index", 9))] == [
        "ImageResult",
        "ImageResult",
        "Quarantined",
    ]


def test_a_model_that_does_not_load_is_told_once_and_soon() -> None:
    with pytest.raises(WorkersFailedError, match="run `relight models fetch`"):
        list(run(items("ok"), engine(2, "refuse")))


def test_workers_that_die_at_start_are_given_up() -> None:
    with pytest.raises(WorkersFailedError, match="exit code 7"):
        list(run(items("ok"), engine(1, "crash")))


def test_a_batch_larger_than_a_pipe_does_not_block_the_one_who_feeds() -> None:
    work = [WorkItem(index, "hang" if index == 0 else "ok", "x" * 4000, STAGES) for index in range(600)]
    results = list(run(work, engine(1), batch=600, hang_s=1.5))
    assert sum(isinstance(result, Quarantined) for result in results) == 1
    assert len(results) == 600


def test_items_are_pulled_lazily() -> None:
    pulled = 0

    def source() -> Iterator[WorkItem]:
        nonlocal pulled
        for item in items(*["ok"] * 1000):
            pulled += 1
            yield item

    results = run(source(), engine(1), batch=2)
    next(results)
    assert pulled <= 8
    results.close()  # type: ignore[attr-defined]


def test_closing_ends_all_workers() -> None:
    on = engine(2)
    results = run(items(*["ok"] * 100), on)
    next(results)
    pids = [handle._process.pid for handle in on._handles]
    results.close()  # type: ignore[attr-defined]
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
