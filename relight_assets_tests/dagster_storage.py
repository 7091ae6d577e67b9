"""Dagster's SQLite storages keep their engines, and Alembic its revisions, in each process that runs tests.

A storage makes an engine for each connection, which compiles each statement anew, and reads all of Alembic's revisions
for each run: a quarter of the time of tests that run jobs.  Its engines hold no connection (``NullPool``), so one
engine opens the same files as many do.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

STORAGES = (
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
    "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
)
"""Modules that call ``create_engine``."""
KEPT = 32
"""Engines of each storage: three or so for each instance, and one for each run."""


def _nothing_to_close(close: bool = True) -> None:
    """In place of ``dispose``, which makes a new pool after each connection, where the pool holds none."""


def kept_engines(create_engine: Callable[..., "Engine"]) -> Callable[..., "Engine"]:
    """``create_engine`` that returns the same engine for the same database."""
    from sqlalchemy.pool import NullPool

    @functools.lru_cache(maxsize=KEPT)
    def made(url: str, poolclass: type, settings: tuple[tuple[str, Any], ...] | None) -> "Engine":
        more = {} if settings is None else {"connect_args": dict(settings)}
        engine = create_engine(url, poolclass=poolclass, **more)
        engine.dispose = _nothing_to_close  # type: ignore[method-assign]
        return engine

    def kept(url: str, *, poolclass: type, connect_args: dict[str, Any] | None = None) -> "Engine":
        assert poolclass is NullPool  # no connection outlives its use
        return made(url, poolclass, None if connect_args is None else tuple(connect_args.items()))

    return kept


@contextmanager
def kept_storage_engines() -> Iterator[None]:
    """Meanwhile the storages of this process keep what they would make again."""
    from alembic.script import ScriptDirectory

    with ExitStack() as stack:
        for module in map(importlib.import_module, STORAGES):
            stack.enter_context(mock.patch.object(module, "create_engine", kept_engines(module.create_engine)))
        read = functools.cache(ScriptDirectory.from_config)  # of the three configurations that Dagster keeps
        stack.enter_context(mock.patch.object(ScriptDirectory, "from_config", read))
        yield


@pytest.fixture(scope="session", autouse=True)
def _kept_storage_engines() -> Iterator[None]:
    """Where a test of this session has imported Dagster: others need not wait for it."""
    with kept_storage_engines() if "dagster" in sys.modules else nullcontext():
        yield
