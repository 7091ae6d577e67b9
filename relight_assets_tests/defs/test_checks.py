"""The checks on a split's mapping: what passes, what warns, and what stops."""

import os
from typing import Any

import cv2
import dagster as dg
import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.definitions import defs
from relight_assets.defs import publishing
from relight_assets.defs.checks import SPECS
from relight_assets.engine.publish import StagedMapping
from relight_assets.imaging.png import decode_png, encode_png
from relight_assets.quality import statistics
from relight_assets.storage.files import stamp_source
from relight_assets_tests.conftest import PORTRAITS, Project

ALL = {spec.name for spec in SPECS}


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project


def run(instance: dg.DagsterInstance, split: str, job: str = "relight_split") -> dg.ExecuteInProcessResult:
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return (
        defs()
        .resolve_job_def(job)
        .execute_in_process(partition_key=split, instance=instance, run_config=config, raise_on_error=False)
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def failed(result: dg.ExecuteInProcessResult) -> set[str]:
    return {name for name, evaluation in checks(result).items() if not evaluation.passed}


def test_a_good_split_passes_them_all_in_its_partition(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:2])
    result = run(instance, "train")
    assert result.success
    found = checks(result)
    assert set(found) == ALL
    assert not failed(result)
    assert found["files_match_records"].metadata["files"].value == 12
    assert found["row_counts_reconcile"].metadata["rows_done"].value == 2
    assert {evaluation.partition for evaluation in found.values()} == {"train"}


def test_many_failed_rows_warn_and_the_run_is_a_success(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", [PORTRAITS[0], "cat.png"])
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"failure_rate"}
    warning = checks(result)["failure_rate"]
    assert warning.severity is dg.AssetCheckSeverity.WARN
    assert warning.metadata["failed_share"].value == 0.5
    assert warning.metadata["failures_by_code"].value == {"no_person": 1}


def test_a_picture_of_two_splits_is_told_in_the_later_one(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:2])
    project.write_csv("val", PORTRAITS[1:3])
    assert not failed(run(instance, "train"))
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    (example,) = checks(result)["split_leakage"].metadata["examples"].records
    assert example.data["other_split"] == "train"
    assert PORTRAITS[1] in str(example.data["image_path"])


def test_a_bad_csv_beside_a_split_costs_its_checks_nothing_and_is_named(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    project.write_csv("val", PORTRAITS[1:3])
    for name, text in (("my split", "image_path\na.png\n"), ("column", "picture\na.png\n")):
        (project.data / f"{name}_images.csv").write_text(text)
    (project.data / "nowhere_images.csv").symlink_to("gone.csv")
    assert not failed(run(instance, "train"))
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    not_compared = checks(result)["split_leakage"].metadata["not_compared"].value
    assert not_compared == "column, my split, nowhere"


def test_a_picture_that_a_split_has_twice_warns_with_both_numbers(
    instance: dg.DagsterInstance, project: Project
) -> None:
    (project.data / "copy.png").write_bytes((project.photos / PORTRAITS[0]).read_bytes())
    project.write_csv("train", [*PORTRAITS[:2], str(project.data / "copy.png")])
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"duplicates"}
    warning = checks(result)["duplicates"]
    assert warning.severity is dg.AssetCheckSeverity.WARN
    assert warning.metadata["same"].value == 1
    (example,) = warning.metadata["examples"].records
    assert (example.data["image"], example.data["other_image"]) == (2, 0)


def test_nearly_the_same_picture_in_two_splits_warns_too(instance: dg.DagsterInstance, project: Project) -> None:
    photo = cv2.imread(str(project.photos / PORTRAITS[1]))
    assert photo is not None
    cv2.imwrite(str(project.data / "again.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 85])
    project.write_csv("train", PORTRAITS[:2])
    (project.data / "val_images.csv").write_text("image_path\nagain.jpg\n")
    run(instance, "train")
    result = run(instance, "val")
    assert result.success
    assert failed(result) == {"split_leakage"}
    metadata = checks(result)["split_leakage"].metadata
    assert (metadata["same"].value, metadata["nearly_the_same"].value) == (0, 1)
    assert "of 256 bits" in str(metadata["examples"].records[0].data["differs"])


def test_numbers_that_moved_since_the_last_time_warn_once(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MIN_IMAGES", 1)  # four portraits stand for the hundreds that a mean needs
    project.write_csv("train", PORTRAITS)
    assert not failed(run(instance, "train"))
    recipe = project.root / "config" / "mvp_config.yaml"
    recipe.write_text(recipe.read_text().replace("exposure_range: [-0.6, 0.3]", "exposure_range: [0.7, 0.75]"))
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"metric_drift"}
    moved = {record.data["number"]: record.data for record in checks(result)["metric_drift"].metadata["moved"].records}
    assert set(moved) >= {"exposure"}
    assert "coverage" not in moved
    assert moved["exposure"]["mean_now"] > 0.69  # type: ignore[operator]
    assert not failed(run(instance, "train"))  # that is how it is now


def test_the_mapping_says_where_its_columns_come_from(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    run(instance, "train")
    event = instance.get_latest_materialization_event(dg.AssetKey("mapping_csv"))
    assert event is not None
    assert event.asset_materialization is not None
    lineage = event.asset_materialization.metadata["dagster/column_lineage"].value
    assert lineage == dg.TableColumnLineage(
        {
            "image_path": [dg.TableColumnDep("split_csv", "image_path")],
            "note": [dg.TableColumnDep("split_csv", "note")],
            "output_image_path": [dg.TableColumnDep("split_csv", "image_path")],
        }
    )


@pytest.mark.parametrize("file", ["platform.yaml", "mvp_config.yaml"])
def test_pictures_that_do_not_measure_up_warn(instance: dg.DagsterInstance, project: Project, file: str) -> None:
    project.write_csv("train", PORTRAITS[:2])
    path = project.root / "config" / file
    text = path.read_text().replace("max_exposure: 1.0", "max_exposure: 0.0001")
    path.write_text(text if file == "platform.yaml" else f"{text}\nquality: {{max_exposure: 0.0001}}\n")
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"quality_thresholds"}
    metrics = {row.data["metric"]: row.data for row in checks(result)["quality_thresholds"].metadata["metrics"].records}
    assert [name for name, row in metrics.items() if not row["good"]] == ["exposure"]
    assert str(metrics["exposure"]["worst_images"]) in ("0, 1", "1, 0")


def test_an_unreadable_record_of_another_split_does_not_stop_this_one(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    (project.data / "outputs" / "data-val" / "00000_metadata.json").mkdir(parents=True)
    result = run(instance, "train")
    assert result.success
    assert not failed(result)


def test_an_altered_file_stops_the_mapping_and_not_the_dead_letters(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", [PORTRAITS[0], "cat.png"])
    run(instance, "train")
    path = project.data / "outputs" / "data-train" / "00000_albedo.png"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    result = run(instance, "train", "rebuild_mapping")
    assert not result.success
    assert "files_match_records" in failed(result)
    assert checks(result)["files_match_records"].metadata["examples"].records[0].data["code"] == "altered"
    (letters,) = (
        event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey("dead_letters")
    )
    assert letters.partition == "train"


def test_a_mapping_that_is_not_the_input_is_stopped(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    run(instance, "train")
    target = project.data / "train_images_with_relighting_outputs.csv"
    before = target.read_bytes()
    real = publishing.stage_mapping

    def a_row_short(*arguments: Any) -> StagedMapping:
        staged = real(*arguments)
        staged.file.write_text("".join(staged.file.read_text().splitlines(keepends=True)[:-1]))
        return staged

    monkeypatch.setattr(publishing, "stage_mapping", a_row_short)
    result = run(instance, "train")
    assert target.read_bytes() == before
    assert not result.success
    assert failed(result) == {"mapping_matches_input", "row_counts_reconcile"}
    assert checks(result)["row_counts_reconcile"].metadata["rows_in_mapping"].value == 1


def test_an_off_background_is_stopped(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    run(instance, "train")
    layout = SplitLayout(project.data / "outputs" / "data-train")
    pixels = decode_png(layout.png(0, "output").read_bytes())
    pixels[0, 0] = 129
    layout.png(0, "output").write_bytes(encode_png(pixels))
    record = read_record(layout.record(0))
    assert record is not None
    record.stages["composites"].files["output"] = stamp_source(layout.png(0, "output"))
    write_record(layout, record)
    result = run(instance, "train", "rebuild_mapping")
    assert failed(result) == {"background_is_exact"}
