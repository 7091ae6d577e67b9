"""Lost state: a cursor that was reset, partitions that are gone, a damaged history; by sensor and command."""

import os
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets.definitions import defs
from relight_assets.defs.automation import run_requests
from relight_assets.defs.automation.abandoned_runs import abandoned_runs_sensor
from relight_assets.defs.automation.run_requests import RUN_KEY
from relight_assets.defs.runs.history import HistoryError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor, runs_of


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return own_instance


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project


def test_a_cursor_that_was_reset_or_set_back_asks_under_keys_that_no_run_has(sensor: Sensor, project: Project) -> None:
    asked = []
    for names in (PORTRAITS[:1], PORTRAITS[:2], PORTRAITS[:1]):
        project.write_csv("train", names)
        sensor.tick()
        asked += sensor.run_keys()
        runs_of(sensor.instance, asked[-1], dg.DagsterRunStatus.FAILURE)
    early = sensor.cursor
    for cursor in (None, early, None):
        project.write_csv("train", PORTRAITS[:1] if cursor is None else PORTRAITS[:2])
        sensor.cursor = cursor
        sensor.tick()
        asked += sensor.run_keys()
        runs_of(sensor.instance, asked[-1], dg.DagsterRunStatus.FAILURE)
    assert len(set(asked)) == len(asked) == 6


def test_a_request_whose_run_is_on_its_way_keeps_its_key(sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    before = sensor.cursor
    (key,) = sensor.run_keys()
    sensor.instance.create_run_for_job(defs().resolve_job_def("relight_split"), tags={RUN_KEY: key})
    sensor.cursor = before  # the daemon was killed before it kept the cursor
    assert sensor.run_keys() == [key]


def test_a_partition_that_was_lost_with_the_history_is_made_again_for_a_retry(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "RETRY_AFTER_S", -1.0)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    (key,) = sensor.run_keys()
    runs_of(sensor.instance, key, dg.DagsterRunStatus.FAILURE)
    sensor.instance.delete_dynamic_partition("splits", "train")
    assert sensor.run_keys()
    assert sensor.instance.get_dynamic_partitions("splits") == ["train"]


def test_a_damaged_history_is_a_sentence_of_the_tick(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(instance)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    for path in Path(instance.root_directory).rglob("index.db*"):
        path.write_bytes(os.urandom(8192))
    with pytest.raises(HistoryError, match=r"is damaged \(.*index.db: .*no image"):
        sensor.tick()
    with dg.build_sensor_context(instance=instance, definitions=defs()) as context, pytest.raises(HistoryError):
        abandoned_runs_sensor()(context)


def test_the_commands_that_need_no_history_go_on_without_and_the_others_say_so(project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])

    def relight(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    assert relight("run", "--all-splits")[0] == 0
    home = project.root / ".dagster_home"
    for path in home.glob("history/runs.db*"):
        path.write_bytes(os.urandom(8192))
    assert relight("status")[0] == 0
    assert relight("verify", "--all-splits")[0] == 0
    for command in (["run", "--all-splits"], ["runs", "list"], ["prune"], ["dev"]):
        code, reported = relight(*command)
        assert code == 2
        assert f"{home} is damaged ({home / 'history' / 'runs.db'}: " in reported
        assert "no image" in reported
        assert ("train: 0 numbers without a row" in reported) == (command == ["prune"])
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    home.rmdir()
    code, reported = relight("run", "--all-splits")
    assert (code, "up to date" in reported) == (0, True)
