"""Dagster's databases, really damaged, locked, deleted or of another version: one sentence that says what to do."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.settings import Settings
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.history import HistoryError, history_error, history_errors
from relight_assets.defs.runs.instance import instance_of, opened_instance
from relight_assets_tests.conftest import PORTRAITS, make_project
from relight_assets_tests.dagster_storage import close_connections

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
COST = "costs the history of runs and the switches of sensors and schedules, no image"


@dg.job
def empty() -> None: ...


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A home with a history."""
    folder = tmp_path_factory.mktemp("used")
    project = make_project(folder, photos)
    project.write_csv("train", PORTRAITS[:1])
    home = folder / ".dagster_home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        with instance_of(Settings(csv_dir=project.data, dagster_home=home), project.root) as instance:
            for _ in range(40):
                instance.create_run_for_job(empty, status=dg.DagsterRunStatus.SUCCESS, tags={"a": "b" * 300})
            instance.report_runless_asset_event(dg.AssetMaterialization("masks"))
            assert not instance.all_instigator_state()
    for file in FILES:
        with closing(sqlite3.connect(home / file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


@pytest.fixture
def settings(used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copytree(used, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    for file in FILES:
        for left in (tmp_path / "project" / ".dagster_home" / file).parent.glob("*.db-*"):
            left.unlink()
    return Settings(csv_dir=tmp_path / "project" / "data", dagster_home=tmp_path / "project" / ".dagster_home")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def wrong_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 200] = os.urandom(200)
    path.write_bytes(data)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def a_part_of_a_page(path: Path) -> None:
    os.truncate(path, 1000)


def use(settings: Settings) -> None:
    """What every start does, and what a run asks for."""
    with instance_of(settings, settings.csv_dir.parent) as instance:
        instance.get_runs()
        instance.event_log_storage.get_concurrency_info(OWN.pool)
        instance.all_instigator_state()


@pytest.mark.parametrize("damage", [garbage, wrong_middle, half, a_part_of_a_page])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_database_is_named_with_what_deleting_costs_and_then_all_goes_on(
    settings: Settings, file: str, damage: Callable[[Path], None]
) -> None:
    path = settings.dagster_home / file
    damage(path)
    with pytest.raises(HistoryError) as caught:
        use(settings)
    assert str(caught.value).startswith(f"Dagster's history in {settings.dagster_home} is damaged ({path}: ")
    assert f"delete {settings.dagster_home}: that {COST}" in str(caught.value)
    assert "\n" not in str(caught.value)
    shutil.rmtree(settings.dagster_home)
    use(settings)


@pytest.mark.parametrize("file", FILES)
def test_a_database_that_was_deleted_or_emptied_begins_anew(settings: Settings, file: str) -> None:
    path = settings.dagster_home / file
    path.unlink()
    use(settings)
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    path.touch()
    use(settings)
    with opened_instance(settings, settings.csv_dir.parent) as instance:
        assert instance.get_dynamic_partitions("splits") == ["train"]
        assert instance.event_log_storage.get_concurrency_info(OWN.pool).slot_count == 1


def test_a_slot_that_outlives_the_runs_in_a_deleted_database_is_freed(settings: Settings) -> None:
    with opened_instance(settings, settings.csv_dir.parent) as instance:
        run = instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED).run_id
        instance.event_log_storage.claim_concurrency_slot(OWN.pool, run, "relight_images")
    for path in (settings.dagster_home / "history").glob("runs.db*"):
        path.unlink()
    with opened_instance(settings, settings.csv_dir.parent) as instance:
        assert not instance.event_log_storage.get_concurrency_info(OWN.pool).claimed_slots


def test_a_history_of_another_version_says_how_to_migrate(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.dagster_home / "history" / "runs.db")) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN status TO state")
        connection.commit()
    with pytest.raises(HistoryError, match=r"of another version of Dagster .*no such column") as caught:
        use(settings)
    assert f"`DAGSTER_HOME={settings.dagster_home} dagster instance migrate`" in str(caught.value)
    assert COST in str(caught.value)


def test_runs_that_another_version_wrote_are_reported(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.dagster_home / "history" / "runs.db")) as connection:
        connection.execute("""UPDATE runs SET run_body = '{"__class__": "RunOfTomorrow"}'""")
        connection.commit()
    with pytest.raises(HistoryError, match="of another version of Dagster"):
        use(settings)


def test_a_locked_database_is_no_damaged_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    monkeypatch.setattr(sqlite_event_log, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    with opened_instance(settings, settings.csv_dir.parent) as instance:
        pass
    close_connections()  # which are kept in tests alone, and would lock it too
    with closing(sqlite3.connect(settings.dagster_home / "history" / "runs" / "index.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HistoryError, match="is locked by another process"), history_errors(settings.dagster_home):
            instance.event_log_storage.set_concurrency_slots(OWN.pool, 2)


def test_a_database_that_cannot_be_opened_is_about_permissions(settings: Settings) -> None:
    path = settings.dagster_home / "history" / "runs.db"
    path.unlink()
    path.mkdir()
    with pytest.raises(HistoryError, match=r"cannot be read or written .*check permissions and space"):
        use(settings)


def test_a_database_that_is_none_of_files_is_reported(tmp_path: Path) -> None:
    from sqlalchemy.exc import OperationalError

    away = OperationalError("SELECT 1", None, ConnectionRefusedError("connection refused"))
    reported = str(history_error(away, tmp_path))
    assert "does not answer as it should (ConnectionRefusedError: connection refused); see `storage` in" in reported


def test_other_errors_are_left_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="odd"), history_errors(tmp_path):
        raise ValueError("odd")
    assert history_error(ValueError("odd"), tmp_path) is None
