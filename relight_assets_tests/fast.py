"""`pytest --fast`: pure functions alone, for `make test-fast`.

Left out are tests that are marked ``processes`` or ``servers``, and those that need the photos or the model files: all
that run the pipeline do.  A test that starts a process all the same fails, and says how to mark it.
"""

import sys
from collections.abc import Iterator

import pytest

NEEDS = frozenset({"photos", "model_files", "real_wheel"})
MARKS = ("processes", "servers")
_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="Pure functions alone: no process, no photo, no model file.")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fast"):
        config.pluginmanager.register(FastTests())


class FastTests:
    """Deselects what is slow, and lets no test start a process."""

    def __init__(self) -> None:
        self._running = False
        sys.addaudithook(self._refuse_processes)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        slow = [item for item in items if _is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in set(slow)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        self._running = True
        try:
            return (yield)
        finally:
            self._running = False

    def _refuse_processes(self, event: str, _: object) -> None:
        if self._running and event in _STARTS:
            raise AssertionError("this test starts a process: mark it with @pytest.mark.processes")


def _is_slow(item: pytest.Item) -> bool:
    needed = NEEDS & set(getattr(item, "fixturenames", ()))
    return bool(needed) or any(item.get_closest_marker(mark) is not None for mark in MARKS)
