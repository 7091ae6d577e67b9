"""Ticks beside CSVs that cannot be used: an error for people, and nothing of the others is lost or started twice."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.definitions import defs
from relight_assets.defs.automation import run_requests
from relight_assets.defs.automation.tick_error import TickError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor, runs_of, swept

BAD: dict[str, Callable[[Path], object]] = {
    "my split": lambda path: path.write_text("image_path\na.png\n"),
    "column": lambda path: path.write_text("image\na.png\n"),
    "wide": lambda path: path.write_bytes("image_path\na.png\n".encode("utf-16")),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "ragged": lambda path: path.write_text("image_path,a\na.png\n"),
    "nowhere": lambda path: path.symlink_to("gone.csv"),
    "circle": lambda path: path.symlink_to(path.name),
    "TRAIN": lambda path: path.write_text("image_path\na.png\n"),
}


def partitions(sensor: Sensor) -> set[str]:
    return set(sensor.instance.get_dynamic_partitions("splits"))


@pytest.mark.parametrize("name", [name for name in BAD if name != "TRAIN"])
def test_the_good_one_is_run_once_and_then_every_tick_is_an_error(name: str, sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    BAD[name](bad := project.data / f"{name}_images.csv")
    assert "waiting until the file has been the same" in str(sensor.tick().skip_reason)
    found = sensor.tick()
    assert [request.partition_key for request in found.run_requests or []] == ["train"]
    assert {event.partition for event in found.asset_events} == {"train"}
    for _ in range(2):
        with pytest.raises(TickError, match=name):
            sensor.tick()
    assert partitions(sensor) == {"train"}
    project.write_csv("train", PORTRAITS[:2])
    assert not sensor.run_keys()
    assert [key.rsplit(":", 1)[1] for key in sensor.run_keys()] == ["2"]
    with pytest.raises(TickError):
        sensor.tick()
    bad.unlink()
    assert not sensor.run_keys()
    assert "nothing new among 1 CSVs" in str(sensor.tick().skip_reason)


def test_all_kinds_at_once_are_named_in_one_error_and_none_gets_a_partition(sensor: Sensor, project: Project) -> None:
    for name, write in BAD.items():
        write(project.data / f"{name}_images.csv")
    project.write_csv("train", PORTRAITS[:1])
    project.write_csv("val", PORTRAITS[1:2])
    sensor.tick()
    assert [request.partition_key for request in sensor.tick().run_requests or []] == ["val"]
    with pytest.raises(TickError) as caught:
        sensor.tick()
    assert [name for name in BAD if f"/{name}_images.csv" not in str(caught.value)] == []
    assert str(caught.value).count("both give the split") == 1
    assert partitions(sensor) == {"val"}


def test_a_bad_csv_alone_is_an_error_as_soon_as_it_rests(sensor: Sensor, project: Project) -> None:
    bad = project.data / "column_images.csv"
    BAD["column"](bad)
    assert "waiting until the file has been the same" in str(sensor.tick().skip_reason)
    with pytest.raises(TickError, match="no column 'image_path'"):
        sensor.tick()
    bad.write_text("image_path\na.png\n")
    assert not sensor.run_keys()
    assert [request.partition_key for request in sensor.tick().run_requests or []] == ["column"]
    assert partitions(sensor) == {"column"}


def test_a_bad_name_alone_is_an_error_at_the_first_tick(sensor: Sensor, project: Project) -> None:
    BAD["my split"](project.data / "my split_images.csv")
    with pytest.raises(TickError, match="'my split' cannot be used"):
        sensor.tick()


def test_a_run_that_failed_is_tried_again_beside_a_bad_csv_and_not_of_one(
    sensor: Sensor, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_requests, "RETRY_AFTER_S", -1.0)
    project.write_csv("train", PORTRAITS[:1])
    val = project.write_csv("val", PORTRAITS[1:2])
    sensor.tick()
    keys = sensor.run_keys()
    assert len(keys) == 2
    val.write_text("image\na.png\n")
    for key in keys:
        runs_of(sensor.instance, key, dg.DagsterRunStatus.FAILURE)
    asked = sensor.run_keys()  # the bad one still rests, and may be good
    runs_of(sensor.instance, next(key for key in asked if key.startswith("train")), dg.DagsterRunStatus.FAILURE)
    assert [key.split(":")[0] for key in sensor.run_keys()] == ["train"]
    with pytest.raises(TickError, match="val_images"):
        sensor.tick()


def test_a_partition_that_was_pruned_comes_back_with_its_csv(sensor: Sensor, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    BAD["column"](project.data / "column_images.csv")
    sensor.tick()
    assert sensor.run_keys()
    content = csv.read_bytes()
    csv.write_text("image\na.png\n")
    assert not sensor.run_keys()
    with pytest.raises(TickError, match="train_images"):
        sensor.tick()
    sensor.instance.delete_dynamic_partition("splits", "train")
    csv.write_bytes(content)
    assert not sensor.run_keys()
    assert partitions(sensor) == set()
    assert not sensor.run_keys()  # the same content was run before
    assert partitions(sensor) == {"train"}
    with pytest.raises(TickError):
        sensor.tick()


def test_a_csv_without_rows_is_named_and_neither_an_error_nor_a_partition(sensor: Sensor, project: Project) -> None:
    (project.data / "empty_images.csv").write_text("image_path\n")
    sensor.tick()
    for _ in range(2):
        found = sensor.tick()
        assert not found.run_requests
        assert "empty_images.csv has a header and no rows" in str(found.skip_reason)
    assert partitions(sensor) == set()


def test_a_folder_that_is_not_there_is_an_error_and_forgets_nothing(sensor: Sensor, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    sensor.tick()
    assert sensor.run_keys()
    project.data.rename(away := project.root / "away")
    with pytest.raises(TickError, match="cannot be listed"):
        sensor.tick()
    away.rename(project.data)
    assert not sensor.run_keys()
    assert not sensor.run_keys()


# -- the sweep -----------------------------------------------------------------------------------------------


def test_a_sweep_asks_for_the_others_first_and_is_an_error_when_there_are_none(
    own_instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, write in BAD.items():
        write(project.data / f"{name}_images.csv")
    project.write_csv("train", PORTRAITS[:1])
    project.write_csv("val", PORTRAITS[1:2])
    (project.data / "empty_images.csv").write_text("image_path\n")
    assert swept(own_instance) == ["val"]
    assert own_instance.get_dynamic_partitions("splits") == ["val"]
    logged = capfd.readouterr().err
    assert [name for name in BAD if f"/{name}_images.csv" not in logged] == []
    run = own_instance.create_run_for_job(defs().resolve_job_def("relight_split"), tags={"dagster/partition": "val"})
    with pytest.raises(TickError) as caught:
        swept(own_instance)
    assert [name for name in BAD if f"/{name}_images.csv" not in str(caught.value)] == []
    assert "empty_images" not in str(caught.value)
    own_instance.report_run_canceled(run)
    assert swept(own_instance) == ["val"]


def test_a_sweep_without_a_folder_is_an_error(own_instance: dg.DagsterInstance, project: Project) -> None:
    project.data.rmdir()
    with pytest.raises(TickError, match="cannot be listed"):
        swept(own_instance)
