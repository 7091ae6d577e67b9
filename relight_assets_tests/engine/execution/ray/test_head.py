"""A head that answers no more is told of once; one that fails for a moment is not."""

import threading
from collections.abc import Iterator

import pytest

from relight_assets.engine.execution.ray import head
from relight_assets.engine.execution.ray.head import HeadWatch

LONG_S = 60.0
"""No test waits so long, unless it fails."""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "EVERY_S", 0.01)


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Lets go whoever waits for an answer that does not come."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("fault", ["raises", "hangs"])
def test_a_head_that_does_not_answer_is_lost_once(
    fault: str, released: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "LOST_S", 0.1)
    lost: list[str] = []
    told = threading.Event()

    def ask() -> None:
        if fault == "hangs":
            released.wait(LONG_S)
        raise ConnectionError("no answer")

    def lose() -> None:
        lost.append(fault)
        told.set()

    watch = HeadWatch(ask, lose)
    assert told.wait(LONG_S)
    watch.close()
    assert lost == [fault]


def test_a_head_that_fails_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "LOST_S", LONG_S)
    lost, answered, asked = threading.Event(), threading.Event(), [0]

    def ask() -> None:
        asked[0] += 1
        if asked[0] <= 3:
            raise ConnectionError("busy")
        answered.set()

    watch = HeadWatch(ask, lost.set)
    assert answered.wait(LONG_S)
    watch.close()
    assert not lost.is_set()


def test_a_closed_watch_asks_no_more() -> None:
    asked = threading.Event()
    before = set(threading.enumerate())
    watch = HeadWatch(asked.set, pytest.fail)
    assert asked.wait(LONG_S)
    own = set(threading.enumerate()) - before
    watch.close()
    for thread in own:
        thread.join(LONG_S)
        assert not thread.is_alive()
