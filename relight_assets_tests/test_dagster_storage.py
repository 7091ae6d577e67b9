"""Storages that keep their engines read and write the same databases, and each instance its own."""

import importlib

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from relight_assets_tests.dagster_storage import STORAGES, kept_engines


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
