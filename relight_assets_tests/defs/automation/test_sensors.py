"""The sensor and the schedule, tick by tick, on a real instance.  (faults/ has them under a real daemon.)"""

import os
import shutil
from pathlib import Path
from threading import Event

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import defs
from relight_assets.defs.assets.splits import SPLIT_CSV
from relight_assets.defs.automation import sensors
from relight_assets.defs.automation.sensors import ATTEMPT, MAX_ATTEMPTS, schedule_of, sensor_of
from relight_assets.errors import ConfigError, OutputFolderError
from relight_assets_tests.conftest import PORTRAITS, Project, sha256
from relight_assets_tests.defs.ticks import Sensor, materialized, runs_of, swept

PROJECT = ProjectSource(os.environ)


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return own_instance


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project


def test_a_new_csv_becomes_a_partition_a_run_and_an_observation(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    waiting = sensor.tick()
    assert not waiting.run_requests
    assert "left alone until the next" in str(waiting.skip_reason)
    found = sensor.tick()
    (request,) = found.run_requests or []
    assert request.partition_key == "train"
    assert request.run_key == f"train:{sha256(csv)[:16]}:1"
    assert request.tags[ATTEMPT] == "1"
    assert sensor.instance.get_dynamic_partitions("splits") == ["train"]
    (observation,) = found.asset_events
    assert (observation.asset_key, observation.partition) == (SPLIT_CSV, "train")
    assert (observation.tags or {})["dagster/data_version"] == sha256(csv)
    assert not sensor.tick().run_requests


def test_a_content_that_comes_back_is_a_run_of_its_own(sensor: Sensor, project: Project) -> None:
    keys = []
    for names in (PORTRAITS[:1], PORTRAITS[:2], PORTRAITS[:1]):
        project.write_csv("train", names)
        sensor.tick()
        keys += sensor.run_keys()
    assert len(set(keys)) == 3
    assert [key.rsplit(":", 1)[1] for key in keys] == ["1", "2", "3"]


def test_a_touched_csv_starts_nothing(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    assert sensor.run_keys()
    os.utime(csv, (1, 1))
    assert not sensor.run_keys()
    assert not sensor.run_keys()


def test_a_failed_run_is_tried_again_a_bounded_number_of_times_and_not_at_once(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    (key,) = sensor.run_keys()
    tried = [key]
    runs_of(sensor.instance, key, dg.DagsterRunStatus.FAILURE)
    assert not sensor.run_keys()  # not yet
    monkeypatch.setattr(sensors, "RETRY_AFTER_S", -1.0)
    while more := sensor.tick().run_requests:
        tried.append(str(more[0].run_key))
        assert more[0].tags[ATTEMPT] == str(len(tried))
        runs_of(sensor.instance, tried[-1], dg.DagsterRunStatus.FAILURE)
    assert len(tried) == len(set(tried)) == MAX_ATTEMPTS
    project.write_csv("train", PORTRAITS[:2])
    sensor.tick()
    assert sensor.run_keys()  # another content starts to count anew


def test_a_run_that_a_person_ended_is_not_started_again(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "RETRY_AFTER_S", -1.0)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    (key,) = sensor.run_keys()
    runs_of(sensor.instance, key, dg.DagsterRunStatus.CANCELED)
    assert not sensor.run_keys()


def test_columns_that_are_left_out_are_told_once(
    sensor: Sensor, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.data / "val_images.csv").write_text("image_path,note,,\n" + "a.png,x,,\n" * 9)
    for _ in range(4):
        sensor.tick()
    assert capfd.readouterr().err.count("val_images.csv: 2 columns without a name and without content left out") == 1


def test_a_csv_that_went_is_told_and_costs_nothing(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    sensor.tick()
    csv.unlink()
    found = sensor.tick()
    assert not found.run_requests
    assert "gone: train; their outputs stay" in str(found.skip_reason)
    assert sensor.instance.get_dynamic_partitions("splits") == ["train"]


def test_a_cursor_of_another_version_is_begun_anew(sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    for cursor in ("no json", "[]", '{"seen": {"train": {"colour": 1}}}'):
        sensor.cursor = cursor
        assert not sensor.run_keys()
        assert sensor.run_keys()


def observed(sensor: Sensor) -> object:
    """What a tick says of the rows of a CSV that changed."""
    sensor.tick()
    (observation,) = sensor.tick().asset_events
    return {name: value.value for name, value in observation.metadata.items()}.get("unchecked_rows")


def test_unchecked_rows_are_counted_and_no_picture_is_read(
    sensor: Sensor, instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    assert observed(sensor) == 0
    materialized(instance, "train")
    for path in (project.data / "outputs" / "data-train").glob("0000*_albedo.png"):
        os.utime(path, (1, 1))
    project.write_csv("train", PORTRAITS[:3])
    assert observed(sensor) == 2
    assert "train: 2 rows unchecked" in capfd.readouterr().err


def test_a_disk_that_does_not_answer_keeps_no_run_back(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answered = Event()

    def waits(*_: object) -> None:
        answered.wait()
        raise OutputFolderError("it is gone")

    monkeypatch.setattr(sensors, "load_split_state", waits)
    monkeypatch.setattr(sensors, "SCAN_S", 0.1)
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    try:
        assert sensor.run_keys()
    finally:
        answered.set()
    assert "could not be looked at" in capfd.readouterr().err


def test_a_run_for_a_csv_of_other_photos_is_refused(
    sensor: Sensor, instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    materialized(instance, "train")
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    for number, name in enumerate(PORTRAITS[2:], start=1):
        shutil.copyfile(project.photos / name, elsewhere / f"{number}.png")
    (elsewhere / csv.name).write_text("image_path\n1.png\n2.png\n")
    os.environ["RELIGHT_CSV_DIR"] = str(elsewhere)
    os.environ["RELIGHT_OUTPUT_ROOT"] = str(project.data / "outputs")
    before = {path: sha256(path) for path in sorted(project.data.rglob("*.*")) if path.is_file()}
    sensor.tick()
    (request,) = sensor.tick().run_requests or []
    assert "train: " in (logged := capfd.readouterr().err)
    assert f"belongs to {csv}" in logged
    run = (
        defs()
        .resolve_job_def("relight_split")
        .execute_in_process(
            partition_key=request.partition_key,
            instance=instance,
            run_config=request.run_config,
            tags=request.tags,
            raise_on_error=False,
        )
    )
    assert not run.success
    assert f"belongs to {csv}" in capfd.readouterr().err
    assert {path: sha256(path) for path in sorted(project.data.rglob("*.*")) if path.is_file()} == before
    assert [path.name for path in sorted(elsewhere.iterdir())] == ["1.png", "2.png", csv.name]


def test_whether_the_sensor_runs_from_the_start_is_a_setting(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sensor_of(PROJECT, PROJECT.settings()).default_status is dg.DefaultSensorStatus.RUNNING
    monkeypatch.setenv("RELIGHT_WATCH", "false")
    assert sensor_of(PROJECT, PROJECT.settings()).default_status is dg.DefaultSensorStatus.STOPPED


# -- runs whose process is gone ------------------------------------------------------------------------------


def test_a_run_whose_process_is_gone_is_closed_and_told_and_no_other(
    instance: dg.DagsterInstance, project: Project
) -> None:
    job, ended = defs().resolve_job_def("relight_split"), []
    for status in set(dg.DagsterRunStatus) - {dg.DagsterRunStatus.QUEUED}:  # which only a daemon can make
        run = instance.create_run_for_job(job, status=status)
        if status is dg.DagsterRunStatus.STARTED:
            lock = Path(instance.root_directory) / "relight_runs" / f"{run.run_id}.steps.lock"
            lock.parent.mkdir()
            lock.touch()  # as a killed process leaves it behind
            ended.append(run.run_id)
    before = {run.run_id: run.status for run in instance.get_runs()}
    for told in (f"closed, because their process is gone: {ended[0]}", "no run is dead"):
        with dg.build_sensor_context(instance=instance, definitions=defs()) as context:
            answer = sensors.abandoned_runs(context)
        assert isinstance(answer, dg.SkipReason)
        assert answer.skip_message == told
    after = {run.run_id: run.status for run in instance.get_runs()}
    assert {run for run in after if after[run] != before[run]} == set(ended)
    assert after[ended[0]] is dg.DagsterRunStatus.FAILURE
    assert sensors.abandoned_runs.default_status is dg.DefaultSensorStatus.RUNNING


# -- the sweep -----------------------------------------------------------------------------------------------


def test_the_sweep_runs_what_is_missing_or_stale_and_nothing_else(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    project.write_csv("val", PORTRAITS[1:2])
    (project.data / "bad_images.csv").write_text("path\na.png\n")
    assert swept(instance) == ["train", "val"]
    assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}
    materialized(instance, "train")
    assert swept(instance) == ["val"]
    output = project.data / "outputs" / "data-train" / "00000_output.png"
    output.unlink()
    assert swept(instance) == ["train", "val"]
    materialized(instance, "train")
    (project.data / "train_images_with_relighting_outputs.csv").unlink()
    assert swept(instance) == ["train", "val"]
    materialized(instance, "train")
    project.write_csv("train", PORTRAITS[:2])
    assert swept(instance) == ["train", "val"]


def test_the_sweep_sees_a_csv_that_says_something_else(instance: dg.DagsterInstance, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    materialized(instance, "train")
    text = csv.read_text()
    header, first, second = text.splitlines(keepends=True)
    for changed in ([header, first], [header, second, first], [header, first.replace(",0", ",7"), second]):
        assert swept(instance) == []
        csv.write_text("".join(changed))
        assert swept(instance) == ["train"]
        csv.write_text(text)
    (project.data / "train_images_failures.csv").unlink()
    assert swept(instance) == ["train"]


def test_the_sweep_sees_files_that_must_be_hashed_to_know(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    materialized(instance, "train")
    os.utime(project.data / "outputs" / "data-train" / "00000_albedo.png", (1, 1))
    assert swept(instance) == ["train"]
    materialized(instance, "train")
    assert swept(instance) == []


def test_the_sweep_tells_of_a_csv_that_is_refused_and_runs_the_others(
    instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    materialized(instance, "train")
    origin = project.data / "outputs" / "data-train" / "origin.json"
    (project.data / "before.csv").write_text("image_path\nelsewhere.png\n")
    origin.write_text(origin.read_text().replace(str(csv), str(project.data / "before.csv")))
    project.write_csv("val", PORTRAITS[1:2])
    capfd.readouterr()
    assert swept(instance) == ["val"]
    assert "belongs to" in capfd.readouterr().err


def test_the_sweep_leaves_a_split_with_a_run_under_way_alone(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    run = instance.create_run_for_job(defs().resolve_job_def("relight_split"), tags={"dagster/partition": "train"})
    assert swept(instance) == []  # it is not even queued yet
    instance.report_run_canceled(run)
    assert swept(instance) == ["train"]


def test_a_schedule_that_cannot_be_read_is_a_clear_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_SWEEP_CRON", "every night")
    with pytest.raises(ConfigError, match=r'`sweep_cron`: found "every night"'):
        defs()


def test_the_schedule_is_off_until_it_is_switched_on(project: Project) -> None:
    assert schedule_of(PROJECT, PROJECT.settings()).default_status is dg.DefaultScheduleStatus.STOPPED


def test_no_request_of_the_sensor_or_the_schedule_replaces_photos(
    sensor: Sensor, instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    with dg.build_schedule_context(instance=instance) as context:
        requests = [*(sensor.tick().run_requests or []), *sensors.sweep(context, PROJECT)]
    assert [isinstance(request, dg.RunRequest) and not request.run_config for request in requests] == [True, True]
