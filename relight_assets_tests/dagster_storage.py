"""Dagster's SQLite storages keep engines and connections, and Alembic its revisions, in each process that runs tests.

A storage makes an engine for each connection, which compiles each statement anew, opens and closes the database for
each statement, and reads all of Alembic's revisions for each run: two fifths of the time of tests that run jobs.
A connection is kept while its files are there, and within one test.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
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

_connected: "set[Engine]" = set()
"""Engines that may hold a connection."""


def _nothing_to_close(close: bool = True) -> None:
    """In place of ``dispose``, which a storage calls after each connection."""


def kept_engines(create_engine: Callable[..., "Engine"]) -> Callable[..., "Engine"]:
    """``create_engine`` that returns the same engine for the same database, which keeps a connection or two."""
    from sqlalchemy.pool import NullPool, QueuePool

    @functools.lru_cache(maxsize=KEPT)
    def made(url: str, settings: tuple[tuple[str, Any], ...] | None) -> "Engine":
        more = {} if settings is None else {"connect_args": dict(settings)}
        engine = create_engine(url, poolclass=QueuePool, pool_size=2, max_overflow=-1, **more)
        engine.dispose = _nothing_to_close  # type: ignore[method-assign]
        _keep_while_files_stay(engine)
        return engine

    def kept(url: str, *, poolclass: type, connect_args: dict[str, Any] | None = None) -> "Engine":
        assert poolclass is NullPool  # a storage counts on no connection but that it has just opened
        return made(url, None if connect_args is None else tuple(connect_args.items()))

    return kept


def _keep_while_files_stay(engine: "Engine") -> None:
    """A kept connection is closed, and another one opened, where other files are in the place of those it has open."""
    from sqlalchemy import event
    from sqlalchemy.exc import DisconnectionError

    database = engine.url.database
    assert database

    @event.listens_for(engine, "checkin")
    def _(_connection: object, record: Any) -> None:
        record.info["files"] = _files_of(database)
        _connected.add(engine)

    @event.listens_for(engine, "checkout")
    def _(_connection: object, record: Any, _proxy: object) -> None:
        now = _files_of(database)
        if record.info.get("files", now) != now:
            raise DisconnectionError


def _files_of(database: str) -> list[int | None]:
    """Which files a database and its journal are."""
    return [_inode(database), _inode(f"{database}-wal")]


def _inode(path: str) -> int | None:
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None


def close_connections() -> None:
    """Close all that are kept."""
    while _connected:
        engine = _connected.pop()
        type(engine).dispose(engine)


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


@pytest.fixture(autouse=True)
def _connections_of_one_test() -> Iterator[None]:
    """No connection outlives its test."""
    yield
    close_connections()
