"""Where Dagster keeps its history, and whether it can."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from relight_assets.config.settings import Settings
from relight_assets.doctor.dagster_home import check_home, damaged, home_folder, what_to_delete
from relight_assets.errors import ConfigError

WELL = ["a b", "a#b", "a'b", 'a"b', "a;b", "a%b", "a&b=c", "a\\b", "a\nb", "a{b}:+,@~$HOME", "Zoë 顔"]
ILL = {"a%20b": "%20", "a?b": "?", "a[b]": "[", "a*b": "*", "a%2Fb": "%2F"}


@pytest.mark.parametrize("name", WELL)
def test_a_path_that_dagster_finds_again(tmp_path: Path, name: str) -> None:
    assert check_home(Settings(dagster_home=tmp_path / name), {}) == tmp_path / name
    # As Dagster makes the address of a database.
    assert sa.make_url(f"sqlite:///{tmp_path / name}").database == str(tmp_path / name)


@pytest.mark.parametrize(("name", "odd"), ILL.items())
def test_a_path_that_dagster_does_not_find_again(tmp_path: Path, name: str, odd: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_home(Settings(dagster_home=tmp_path / name), {})
    assert f"holds `{odd}`; set dagster_home in config/platform.yaml (RELIGHT_DAGSTER_HOME)" in str(caught.value)
    assert not (tmp_path / name).exists()
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="set it to another folder"):
        check_home(Settings(), {"DAGSTER_HOME": str(tmp_path / name)})


def test_a_history_that_lies_elsewhere_does_not_mind_an_address(tmp_path: Path) -> None:
    home = tmp_path / "a%20b"
    home.mkdir()
    (home / "dagster.yaml").write_text("storage: {postgres: {}}\n", encoding="utf-8")
    assert check_home(Settings(dagster_home=home), {}) == home


def test_the_home_is_the_environment_s_or_the_settings(tmp_path: Path) -> None:
    settings = Settings(dagster_home=tmp_path / "own")
    assert home_folder(settings, {"DAGSTER_HOME": "/given"}) == Path("/given")
    assert home_folder(settings, {"DAGSTER_HOME": ""}) == tmp_path / "own"
    for given in ("relative", str(tmp_path / "none")):
        with pytest.raises(ConfigError, match="must be the full path of a folder that exists"):
            check_home(settings, {"DAGSTER_HOME": given})


def test_what_is_to_be_deleted_of_a_home(tmp_path: Path) -> None:
    assert what_to_delete(tmp_path) == f"all in {tmp_path} but dagster.yaml"
    assert what_to_delete(tmp_path / ".dagster_home") == str(tmp_path / ".dagster_home")
    assert damaged(tmp_path) == []


def test_a_database_that_somebody_writes_is_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (x)")
        writer.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 1000)
        writer.commit()
        before = sorted(path.name for path in tmp_path.iterdir())
        assert damaged(tmp_path) == []
        assert sorted(path.name for path in tmp_path.iterdir()) == before
