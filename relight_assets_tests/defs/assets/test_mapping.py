"""The mapping and the failures as assets: what they write, and what they say of it."""

import csv
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from relight_assets.definitions import defs
from relight_assets.defs.assets.mapping import PATH_SHOWN, SPREADS
from relight_assets.engine.state.image_scan import ImageScanner
from relight_assets.engine.state.image_state import ImageState
from relight_assets_tests.conftest import PORTRAITS, Project

CSVS = ("mapping_csv", "dead_letters")
STAGES = ("masks", "albedo", "degraded", "composites")


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [PORTRAITS[0], "cat.png", PORTRAITS[1], PORTRAITS[0], ""])
    return empty_project


def materialize(instance: dg.DagsterInstance, *assets: str) -> dg.ExecuteInProcessResult:
    made = defs().resolve_implicit_global_asset_job_def()
    keys = [dg.AssetKey(name) for name in assets]
    result = made.execute_in_process(partition_key="train", instance=instance, asset_selection=keys)
    assert result.success
    return result


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = (
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.step_materialization_data.materialization.asset_key == dg.AssetKey(asset)
    )
    return {name: value.value if hasattr(value, "value") else value for name, value in event.metadata.items()}


def check_of(result: dg.ExecuteInProcessResult, name: str) -> dict[str, Any]:
    (found,) = (each for each in result.get_asset_check_evaluations() if each.check_name == name)
    return {"passed": found.passed, **{key: value.value for key, value in found.metadata.items()}}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_mapping_has_every_row_and_says_so(instance: dg.DagsterInstance, project: Project) -> None:
    result = materialize(instance, *STAGES, *CSVS)
    reported = metadata_of(result, "mapping_csv")
    path = project.data / "train_images_with_relighting_outputs.csv"
    outputs = project.data / "outputs" / "data-train"
    first, second = (str(outputs / f"{number}_output.png") for number in ("00000", "00002"))
    assert [row["output_image_path"] for row in rows_of(path)] == [first, "", second, first, ""]
    assert [row["image_path"] for row in rows_of(path)] == [
        row["image_path"] for row in rows_of(project.data / "train_images.csv")
    ]
    assert (reported["dagster/row_count"], reported["rows_with_output"], reported["published"]) == (5, 3, True)
    assert reported["path"] == str(path)
    assert {name: reported[f"rows_{name}"] for name in ("done", "failed", "rejected", "pending")} == {
        "done": 3,
        "failed": 1,
        "rejected": 1,
        "pending": 0,
    }
    columns = {column.name: column.description for column in reported["dagster/column_schema"].columns}
    assert list(columns) == ["image_path", "note", "output_image_path"]
    assert columns["note"] is None
    assert columns["image_path"]
    assert columns["output_image_path"]
    assert "path_of_variants" not in reported
    lineage = reported["dagster/column_lineage"].deps_by_column
    assert [dep.column_name for dep in lineage["output_image_path"]] == ["image_path"]
    assert [dep.column_name for dep in lineage["note"]] == ["note"]

    failures = metadata_of(result, "dead_letters")
    file = project.data / "train_images_failures.csv"
    assert (failures["dagster/row_count"], failures["path"]) == (2, str(file))
    shown = [row.data for row in failures["failures"].records]
    assert failures["photos"].startswith("![train-failures]")
    written = rows_of(file)
    assert [(row["line"], row["reason"]) for row in shown] == [
        (int(row["line"]), f"{row['code']} ({row['stage']}): {row['message']}") for row in written
    ]
    assert shown[0]["reason"].startswith("no_person (masks): ")
    for row, whole in zip(shown, written, strict=True):
        assert len(row["image_path"]) <= PATH_SHOWN
        assert whole["image_path"].endswith(row["image_path"].removeprefix("…\u2060"))


def test_the_numbers_are_compared_with_those_of_the_materialization_before(
    instance: dg.DagsterInstance, project: Project
) -> None:
    first = materialize(instance, *STAGES, "mapping_csv")
    spreads = {row.data["number"]: row.data for row in metadata_of(first, "mapping_csv")[SPREADS].records}
    assert spreads["coverage"]["images"] == 2
    assert 0 < spreads["coverage"]["mean"] < 1
    second = materialize(instance, "mapping_csv")
    assert metadata_of(second, "mapping_csv")[SPREADS].records == metadata_of(first, "mapping_csv")[SPREADS].records
    reported = check_of(second, "metric_drift")
    assert (reported["passed"], reported["largest_move"], reported["compared"]) == (True, 0.0, len(spreads))


def test_where_all_went_well_there_is_no_table_of_failures(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    reported = metadata_of(materialize(instance, *STAGES, *CSVS), "dead_letters")
    assert reported["dagster/row_count"] == 0
    assert "failures" not in reported
    assert rows_of(project.data / "train_images_failures.csv") == []


def test_two_lights_per_photo_have_a_mapping_of_their_own(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    recipe = project.root / "config" / "mvp_config.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert "variants" in text
    recipe.write_text(text.replace("variants: 1", "variants: 2"), encoding="utf-8")
    reported = metadata_of(materialize(instance, *STAGES, "mapping_csv"), "mapping_csv")
    rows = rows_of(Path(reported["path_of_variants"]))
    assert len({row["output_image_path"] for row in rows}) == len(rows) == 2
    assert all(Path(row["output_image_path"]).is_file() for row in rows)


def test_a_run_scans_each_image_once(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[str] = []

    def scan(scanner: ImageScanner, key: str, cell: str, index: int | None) -> ImageState:
        scanned.append(key)
        return whole(scanner, key, cell, index)

    whole = ImageScanner.scan
    monkeypatch.setattr(ImageScanner, "scan", scan)
    materialize(instance, *STAGES, *CSVS)
    assert sorted(Path(key).name for key in scanned) == sorted([PORTRAITS[0], "cat.png", PORTRAITS[1]])
    scanned.clear()
    materialize(instance, *CSVS)  # by itself a mapping has only the files to go by
    assert len(scanned) == 3


def test_the_mapping_says_where_its_columns_come_from(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    materialize(instance, *STAGES, *CSVS)
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
