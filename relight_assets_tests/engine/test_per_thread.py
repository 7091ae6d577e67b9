"""One for each thread."""

import threading

import pytest

from relight_assets.engine.per_thread import PerThread


def test_each_thread_has_its_own_and_keeps_it() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    shared = PerThread(make)
    assert shared.own() is shared.own() is made[0]
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.extend([shared.own(), shared.own()])) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert found[0] is found[1]
    assert found[2] is found[3]
    assert len(made) == 3


def test_what_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        PerThread(lambda: 1 / 0)
