"""Storages that keep engines and connections read and write the same databases, and each instance its own."""

import importlib
import os
import sqlite3
from pathlib import Path

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from relight_assets_tests.dagster_storage import STORAGES, close_connections, kept_engines


def test_the_storages_of_this_process_keep_their_engines() -> None:
    for module in STORAGES:
        make = importlib.import_module(module).create_engine
        kept = make("sqlite:///a.db", poolclass=NullPool)
        assert make("sqlite:///a.db", poolclass=NullPool) is kept
        pool = kept.pool
        kept.dispose()  # as the storages do after each connection
        assert kept.pool is pool


def test_another_database_or_other_settings_have_another_engine() -> None:
    make = kept_engines(create_engine)
    url = "sqlite:///a.db"
    timed = make(url, poolclass=NullPool, connect_args={"timeout": 3})
    assert timed is make(url, poolclass=NullPool, connect_args={"timeout": 3})
    others = [
        make("sqlite:///b.db", poolclass=NullPool, connect_args={"timeout": 3}),
        make(url, poolclass=NullPool, connect_args={"timeout": 4}),
        make(url, poolclass=NullPool),
    ]
    assert len({id(each) for each in (timed, *others)}) == 4
    assert str(others[0].url) == "sqlite:///b.db"


def test_an_engine_that_would_hold_a_connection_is_refused() -> None:
    with pytest.raises(AssertionError):
        kept_engines(create_engine)("sqlite:///a.db", poolclass=None)


def write_database(path: Path, content: str) -> None:
    """As Dagster's: it has a journal of its own while it is open."""
    made = sqlite3.connect(path)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE said (what TEXT)")
    made.execute("INSERT INTO said VALUES (?)", [content])
    made.commit()
    made.close()


def said(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT what FROM said")).scalar())


def open_files(folder: Path) -> set[str]:
    names = {os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()}
    return {name for name in names if name.startswith(str(folder))}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    write_database(tmp_path / "a.db", "first")
    return tmp_path / "a.db"


@pytest.fixture
def engine(database: Path) -> Engine:
    return kept_engines(create_engine)(f"sqlite:///{database}", poolclass=NullPool)


def test_a_connection_is_kept_until_all_are_closed(engine: Engine, database: Path) -> None:
    assert said(engine) == "first"
    assert str(database) in open_files(database.parent)
    close_connections()
    assert not open_files(database.parent)
    assert said(engine) == "first"


@pytest.mark.parametrize("journal", [True, False])
def test_another_database_in_its_place_is_read(engine: Engine, database: Path, journal: bool) -> None:
    assert said(engine) == "first"
    write_database(other := database.with_name("b.db"), "second")
    if not journal:
        database.with_name("a.db-wal").unlink()
    other.replace(database)
    assert said(engine) == "second"


def test_what_another_process_wrote_is_read(engine: Engine, database: Path) -> None:
    assert said(engine) == "first"
    other = sqlite3.connect(database)
    other.execute("UPDATE said SET what = 'second'")
    other.commit()
    other.close()
    assert said(engine) == "second"


def test_the_revisions_are_read_once_for_each_configuration() -> None:
    assert hasattr(ScriptDirectory.from_config, "cache_info")


def test_instances_see_what_is_theirs(own_homes: tuple[str, str]) -> None:
    first, second = own_homes
    for home, split in ((first, "train"), (second, "val")):
        with dg.DagsterInstance.local_temp(home) as instance:
            instance.add_dynamic_partitions("splits", [split])
    for home, split in ((first, "train"), (second, "val")):
        with dg.DagsterInstance.local_temp(home) as instance:
            assert instance.get_dynamic_partitions("splits") == [split]


@pytest.fixture
def own_homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return str(tmp_path_factory.mktemp("first")), str(tmp_path_factory.mktemp("second"))
