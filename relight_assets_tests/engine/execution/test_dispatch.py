"""The policy loop over real worker processes that crash, hang and refuse to start."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from relight_assets.engine.execution import dispatch
from relight_assets.engine.execution.base import Events, Ready
from relight_assets.engine.execution.dispatch import Finished, Notice, Quarantined
from relight_assets.engine.execution.local import LocalPool
from relight_assets.engine.execution.messages import ImageResult, Item, Shrunk, WorkItem
from relight_assets.engine.hardware.devices import DeviceSlot
from relight_assets.errors import DeviceFailedError, ModelFileError, OutputFolderError, WorkersFailedError
from relight_assets.stages.registry import stage_names

pytestmark = pytest.mark.usefixtures("worker_processes")


class ToyWorker:
    """Does what the item's path says."""

    def __init__(self, fault: str = "", batch: int = 8) -> None:
        if fault == "refuse":
            raise ModelFileError("the model file is missing; run `relight models fetch`")
        if fault == "crash":
            os._exit(7)
        if fault == "crash on GPU-1" and os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-1":
            os._exit(7)
        self.batch = batch

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult | Shrunk]:
        with ThreadPoolExecutor(2) as threads:  # so that one may hang while others go on
            waiting: list[Future[ImageResult]] = []
            for item in items:
                if item.image_path == "full":
                    raise OutputFolderError("out: cannot be written: No space left on device")
                if item.image_path == "broken device":
                    raise DeviceFailedError("device-side assert triggered")
                if item.image_path == "shrink":
                    yield Shrunk(self.batch // 2)
                if item.image_path.startswith("hang"):
                    waiting.append(threads.submit(self.do, item))
                else:
                    yield self.do(item)
            for each in waiting:
                yield each.result()

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
        device = os.environ.get("CUDA_VISIBLE_DEVICES")
        return ImageResult(item.index, {}, code=device, message=repr(self.batch))


class RetentiveWorker:
    """Gives nothing back as long as it has no more than so many images in hand, until it has seen all."""

    def __init__(self, keeps: int, total: int) -> None:
        self.keeps, self.total = keeps, total

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult]:
        held: list[WorkItem] = []
        for seen, item in enumerate(items, 1):
            held.append(item)
            while held and (len(held) > self.keeps or seen == self.total):
                yield ImageResult(held.pop(0).index, {})


class AtOnce:
    """Workers that are ready one after the other, and done with an item when they have it; within this process."""

    threads, start_s = 1, 20.0

    def __init__(self, slots: int) -> None:
        self.slots = [f"slot {number}" for number in range(slots)]

    def start(self, slot: int, generation: int, events: Events, batch: int | None = None) -> "Echo":  # noqa: ARG002
        events.put((slot, generation, Ready()))
        return Echo(slot, generation, events)

    def usage(self, slot: int) -> None:  # noqa: ARG002
        return None

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Echo:
    slot: int
    generation: int
    events: Events

    def submit(self, items: list[Item]) -> None:
        for item in items:
            self.events.put((self.slot, self.generation, ImageResult(item.index, {})))

    def kill(self) -> None:
        """There is no process."""


def items(*actions: str) -> list[WorkItem]:
    return [WorkItem(index, action, "", stage_names()) for index, action in enumerate(actions)]


def engine(slots: int = 2, fault: str = "") -> LocalPool:
    places = [DeviceSlot(f"gpu {number}", {"CUDA_VISIBLE_DEVICES": f"GPU-{number}"}) for number in range(slots)]
    return LocalPool(places, ToyWorker, {"fault": fault})


def run(work: Any, on: LocalPool, **options: Any) -> Iterator[Any]:
    """The results and quarantined items; notices are left out."""
    for outcome in dispatch.run(work, on, **{"batch": 3, "start_s": 60, "hang_s": 60, **options}):
        if not isinstance(outcome, Notice):
            yield outcome.result if isinstance(outcome, Finished) else outcome


def test_every_item_gives_one_result_and_each_worker_sees_one_device() -> None:
    results = list(run(items(*["nap"] * 80), engine()))
    assert sorted(result.index for result in results) == list(range(80))
    assert {result.code for result in results} == {"GPU-0", "GPU-1"}


def test_a_worker_always_has_images_for_its_device_for_its_threads_and_between_them() -> None:
    keeping = LocalPool([DeviceSlot("cpu 0")], RetentiveWorker, {"keeps": 3 * 3, "total": 40})
    results = list(run(items(*["ok"] * 40), keeping, batch=3, hang_s=20))
    assert [result.index for result in results] == list(range(40))


def test_of_a_few_images_each_worker_has_its_share() -> None:
    pool = AtOnce(2)
    of_a_share = list(dispatch.run(items(*["ok"] * 4), pool, batch=1, share=2, start_s=20, hang_s=20))
    assert [outcome.slot for outcome in of_a_share if isinstance(outcome, Finished)] == [0, 0, 1, 1]
    of_any = list(dispatch.run(items(*["ok"] * 4), pool, batch=1, start_s=20, hang_s=20))
    assert [outcome.slot for outcome in of_any if isinstance(outcome, Finished)] == [0, 0, 0, 0]


def test_images_are_handed_out_so_that_threads_and_all_workers_have_some() -> None:
    wide = LocalPool([DeviceSlot(f"gpu {number}") for number in range(8)], ToyWorker, {}, threads=16)
    assert [dispatch.hand_out_size(4, wide, count) for count in (12_000, 320, 3)] == [16, 10, 1]
    narrow = LocalPool([DeviceSlot("gpu 0")], ToyWorker, {}, threads=2)
    assert dispatch.hand_out_size(8, narrow, 12_000) == 8


def test_nothing_to_do_starts_no_worker() -> None:
    class Untouched(LocalPool):
        def start(self, *_: Any) -> Any:
            raise AssertionError("a worker was started")

    assert list(run([], Untouched([DeviceSlot("cpu 0")], ToyWorker, {}))) == []


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


def test_an_item_left_behind_while_others_go_on_without_end_is_found() -> None:
    quarantined: list[int] = []
    finished = 0

    def endless() -> Iterator[WorkItem]:
        yield WorkItem(0, "hang", "", stage_names())
        number = 0
        while not quarantined:  # there is always more to do, so the worker is never silent
            number += 1
            yield WorkItem(number, "nap", "", stage_names())

    for outcome in run(endless(), engine(1), hang_s=1.0):
        if isinstance(outcome, Quarantined):
            quarantined.append(outcome.item.index)
            assert "gave no result for hang_s (1 s)" in outcome.reason
        else:
            finished += 1
    assert quarantined == [0]
    assert finished > 20


@pytest.mark.parametrize("fault", ["refuse", "crash"])
def test_a_model_that_does_not_load_is_reported_once_and_soon(fault: str) -> None:
    reported = "run `relight models fetch`" if fault == "refuse" else "exit code 7"
    outcomes = dispatch.run(items("ok"), engine(2, fault), batch=3, start_s=60, hang_s=60)
    with pytest.raises(WorkersFailedError, match=reported):
        next(outcomes)  # the first thing that is reported, and so the only one


def test_a_device_on_which_nothing_starts_is_given_up_and_the_others_do_the_work() -> None:
    outcomes: list[object] = []
    given: list[WorkItem] = []

    def given_up() -> list[str]:
        return [each.text for each in outcomes if isinstance(each, Notice) and "gpu 1 is given up" in each.text]

    def work() -> Iterator[WorkItem]:  # as long as it takes, and then some
        while len(given) < 100 or (not given_up() and len(given) < 5000):
            given.append(WorkItem(len(given), "nap", "", stage_names()))
            yield given[-1]

    for outcome in dispatch.run(work(), engine(2, "crash on GPU-1"), batch=2, start_s=60, hang_s=60):
        outcomes.append(outcome)  # noqa: PERF402  (`work` looks at it meanwhile)
    finished = [each.result.index for each in outcomes if isinstance(each, Finished)]
    assert sorted(finished) == [item.index for item in given]
    assert len(given_up()) == 1


def test_a_full_disk_stops_the_run_with_its_own_words() -> None:
    with pytest.raises(OutputFolderError, match="out: cannot be written: No space left on device"):
        list(run(items("ok", "full", *["nap"] * 50), engine(2)))


def test_a_broken_device_costs_a_worker_and_no_item() -> None:
    outcomes = list(
        dispatch.run(items(*["ok"] * 6, "broken device", *["ok"] * 6), engine(1), batch=3, start_s=60, hang_s=60)
    )
    assert sorted(o.result.index for o in outcomes if isinstance(o, Finished)) == [n for n in range(13) if n != 6]
    assert [o.item.index for o in outcomes if isinstance(o, Quarantined)] == [6]  # as it breaks it every time
    assert any(isinstance(o, Notice) and o.replaced and "device-side assert" in o.text for o in outcomes)


def test_what_a_device_holds_is_remembered_when_its_worker_is_replaced() -> None:
    outcomes = list(
        dispatch.run(items("ok", "shrink", "ok", "kill", "ok", "ok"), engine(1), batch=1, start_s=60, hang_s=60)
    )
    batches = {o.result.index: o.result.message for o in outcomes if isinstance(o, Finished)}
    assert (batches[0], batches[5]) == ("8", "4")
    assert any(isinstance(o, Notice) and "at most 4 images at a time" in o.text for o in outcomes)


def test_a_batch_larger_than_a_pipe_does_not_block_the_one_who_feeds() -> None:
    work = [WorkItem(index, "hang" if index == 0 else "ok", "x" * 4000, stage_names()) for index in range(600)]
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
    assert len(pids) == 2
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
