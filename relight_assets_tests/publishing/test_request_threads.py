"""Calls that wait, each in a thread of its own."""

import asyncio
import threading
import time

import pytest

from relight_assets.publishing import request_threads
from relight_assets.publishing.request_threads import RequestThreads


def test_results_and_errors_come_back() -> None:
    async def run() -> list[int]:
        threads = RequestThreads()
        return await asyncio.gather(*(threads.run(lambda number=number: number * 2) for number in range(50)))

    assert asyncio.run(run()) == [2 * number for number in range(50)]

    async def fail() -> None:
        await RequestThreads().run(lambda: int("no number"))

    with pytest.raises(ValueError, match="no number"):
        asyncio.run(fail())


def test_in_the_end_calls_under_way_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, ended, go_on = RequestThreads(), threading.Event(), threading.Event()

    def wait() -> None:
        go_on.wait(60)
        ended.set()

    async def stopped() -> None:
        task = asyncio.create_task(threads.run(wait))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(stopped())
    threading.Timer(0.2, go_on.set).start()
    threads.close()
    assert threads.closed
    assert ended.is_set()


def test_one_that_does_not_end_is_not_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_threads, "_WAIT_S", 0.1)
    threads, go_on = RequestThreads(), threading.Event()

    async def stopped() -> None:
        task = asyncio.create_task(threads.run(lambda: go_on.wait(60)))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(stopped())
    before = time.monotonic()
    threads.close()
    go_on.set()
    assert time.monotonic() - before < 50
