"""Calls that wait, each in a thread of its own, for an event loop.

obstore has coroutines too.  Their results come from threads of its own, which abort the process if it ends at that
moment.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")
_WAIT_S = 10.0
"""How long calls under way are waited for in the end; most take less than a second."""


class RequestThreads:
    """Runs calls in threads, and knows which are under way."""

    def __init__(self) -> None:
        self._under_way: set[threading.Thread] = set()
        self.closed = False
        """Nobody waits for results any more; what goes on for long may end."""

    async def run(self, call: Callable[[], _T]) -> _T:
        """What a call returns or raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if done.done():  # cancelled
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

        def work() -> None:
            result, error = None, None
            try:
                result = call()
            except BaseException as raised:  # noqa: BLE001  (it is raised where the result is waited for)
                error = raised
            self._under_way.discard(threading.current_thread())
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(settle, result, error)

        thread = threading.Thread(target=work, daemon=True, name="relight-publish")
        self._under_way.add(thread)
        thread.start()
        return await done

    def close(self) -> None:
        """Wait some seconds for the calls under way: a thread must not come back while the process ends."""
        self.closed = True
        deadline = time.monotonic() + _WAIT_S
        for thread in list(self._under_way):
            thread.join(max(0.0, deadline - time.monotonic()))
