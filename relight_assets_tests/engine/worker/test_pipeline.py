"""Three steps that overlap."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relight_assets.engine.worker.pipeline import Pipeline, Steps


def pipeline(readers: int = 2, finishers: int = 3, **steps: Callable[..., Any]) -> Pipeline[int, int, int]:
    plain: dict[str, Callable[..., Any]] = {
        "read": lambda item: item,
        "wants_segmenter": lambda item: item % 2 == 0,
        "segment": lambda _: None,
        "batch": lambda: 4,
        "finish": lambda item: item * 10,
    }
    return Pipeline(Steps(**(plain | steps)), readers=readers, finishers=finishers)


def test_every_item_gives_one_result() -> None:
    assert sorted(pipeline().run(range(500))) == [10 * item for item in range(500)]


def test_no_items_no_results() -> None:
    assert list(pipeline().run([])) == []


def test_the_segmenter_sees_only_those_who_want_it_from_one_thread_in_batches() -> None:
    seen: list[int] = []
    threads: set[int] = set()
    sizes: set[int] = set()

    def segment(together: list[int]) -> None:
        seen.extend(together)
        threads.add(threading.get_ident())
        sizes.add(len(together))

    list(pipeline(segment=segment).run(range(300)))
    assert sorted(seen) == list(range(0, 300, 2))
    assert len(threads) == 1
    assert sizes <= {1, 2, 3, 4}


def test_the_segmenter_is_given_as_many_as_are_waiting() -> None:
    all_read = threading.Barrier(2)
    sizes: list[int] = []

    def read(item: int) -> int:
        if item == 10:
            all_read.wait(10)
        return item

    def segment(together: list[int]) -> None:
        if not sizes:
            all_read.wait(10)  # until the others have been read
        sizes.append(len(together))

    list(pipeline(readers=1, wants_segmenter=lambda item: item < 10, read=read, segment=segment).run(range(11)))
    assert sum(sizes) == 10
    assert max(sizes[1:]) == 4


def test_the_three_steps_work_at_the_same_time() -> None:
    everyone = threading.Barrier(3)
    met: set[str] = set()

    def meet(name: str) -> None:
        if name not in met:
            met.add(name)
            everyone.wait(10)  # breaks, and the test fails, unless all three are inside at once

    def read(item: int) -> int:
        if item == 4:
            meet("read")
        return item

    def segment(together: list[int]) -> None:
        if 2 in together:
            meet("segment")

    def finish(item: int) -> int:
        if item == 1:
            meet("finish")
        return item

    results = pipeline(readers=1, finishers=1, batch=lambda: 1, read=read, segment=segment, finish=finish)
    assert sorted(results.run(range(1, 6))) == [1, 2, 3, 4, 5]
    assert met == {"read", "segment", "finish"}


@pytest.mark.parametrize("step", ["read", "segment", "finish"])
def test_an_error_in_any_step_is_raised_and_ends_all_threads(step: str) -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError(step)

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match=step):
        list(pipeline(**{step: broken}).run(range(100)))
    for thread in threading.enumerate():
        if thread.name.startswith(("read", "segment", "finish")):
            thread.join(10)
    assert threading.active_count() <= before


def test_items_are_pulled_as_the_stream_gives_them() -> None:
    given = threading.Semaphore(1)

    def stream() -> Iterator[int]:
        for item in range(5):
            assert given.acquire(timeout=10)
            yield item

    for result in pipeline(readers=1).run(stream()):
        assert result % 10 == 0
        given.release()


def test_what_belongs_to_no_item_can_be_said_too() -> None:
    talkative = pipeline()
    talkative.say(-1)
    assert sorted(talkative.run(range(3))) == [-1, 0, 10, 20]
