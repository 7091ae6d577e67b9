"""The sensor on new CSVs, tick by tick, on a real instance.  (faults/ has it under a real daemon.)"""

import os
import shutil

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import defs
from relight_assets.defs.automation.new_csvs import sensor_of
from relight_assets.defs.automation.run_requests import ATTEMPT
from relight_assets.defs.automation.sweep import sweep
from relight_assets.defs.automation.tick_error import TickError
from relight_assets.defs.names import OWN
from relight_assets_tests.conftest import PORTRAITS, Project, sha256
from relight_assets_tests.defs.ticks import Sensor, materialized

PROJECT = ProjectSource(os.environ)


def test_a_new_csv_becomes_a_partition_a_run_and_an_observation(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    waiting = sensor.tick()
    assert not waiting.run_requests
    assert "waiting until the file has been the same" in str(waiting.skip_reason)
    found = sensor.tick()
    (request,) = found.run_requests or []
    assert request.partition_key == "train"
    assert request.run_key == f"train:{sha256(csv)[:16]}:1"
    assert request.tags[ATTEMPT] == "1"
    assert sensor.instance.get_dynamic_partitions("splits") == ["train"]
    observation, shown = found.asset_events
    assert isinstance(observation, dg.AssetObservation)
    assert isinstance(shown, dg.AssetMaterialization)
    assert (observation.asset_key, observation.partition) == (OWN.split_csv, "train")
    assert (observation.tags or {})["dagster/data_version"] == sha256(csv)
    assert not sensor.tick().run_requests


def test_the_first_look_starts_no_run_of_a_finished_split(
    sensor: Sensor, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    for split, names in (("train", PORTRAITS[:1]), ("val", PORTRAITS[1:2])):
        project.write_csv(split, names)
        materialized(sensor.instance, split)
    (project.data / "outputs" / "data-val" / "00000_albedo.png").unlink()
    sensor.tick()
    assert [key.partition(":")[0] for key in sensor.run_keys()] == ["val"]  # of which a file is gone
    assert "train: everything is up to date; no run is needed" in capfd.readouterr().err
    assert not sensor.run_keys()


def test_a_finished_split_that_the_history_does_not_know_is_run_so_that_the_ui_shows_it(
    sensor: Sensor, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    with dg.DagsterInstance.ephemeral() as another:
        materialized(another, "train")
    sensor.tick()
    assert len(sensor.run_keys()) == 1


def test_a_recipe_that_cannot_be_used_is_an_error_of_the_tick_and_no_csv_is_forgotten(
    sensor: Sensor, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    (project.root / "bad.yaml").write_text("masks: {min_coverage: many}\n", encoding="utf-8")
    edited = ProjectSource({**os.environ, "RELIGHT_CONFIG": "bad.yaml"})  # after the definitions were loaded

    def tick() -> dg.SensorResult:
        with dg.build_sensor_context(instance=sensor.instance, cursor=sensor.cursor, definitions=defs()) as context:
            answer = sensor_of(edited, edited.settings())(context)
        assert isinstance(answer, dg.SensorResult)
        sensor.cursor = answer.cursor
        return answer

    tick()
    assert "min_coverage" in capfd.readouterr().err
    assert len(tick().run_requests or []) == 1  # whose failure says it too
    sensor.instance.add_dynamic_partitions("splits", ["train"])
    with pytest.raises(TickError, match="min_coverage"):
        tick()


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


def test_columns_that_are_left_out_are_named_once(
    sensor: Sensor, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.data / "val_images.csv").write_text("image_path,note,,\n" + "a.png,x,,\n" * 9)
    for _ in range(4):
        sensor.tick()
    assert capfd.readouterr().err.count("val_images.csv: 2 columns without a name and without content left out") == 1


def test_a_csv_that_is_gone_is_named_and_costs_nothing(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    sensor.tick()
    csv.unlink()
    found = sensor.tick()
    assert not found.run_requests
    assert "gone: train; their outputs stay" in str(found.skip_reason)
    assert sensor.instance.get_dynamic_partitions("splits") == ["train"]


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


def test_no_request_of_the_sensor_or_the_schedule_replaces_photos(
    sensor: Sensor, instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    with dg.build_schedule_context(instance=instance) as context:
        requests = [*(sensor.tick().run_requests or []), *sweep(context, PROJECT)]
    assert [isinstance(request, dg.RunRequest) and not request.run_config for request in requests] == [True, True]
