"""The op through Dagster itself: subsets, config, and what a failure looks like."""

import errno
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from relight_assets.config.recipe.degradation import family_names
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.definitions import defs
from relight_assets.defs.assets.images import images_asset
from relight_assets.defs.runs import run_images
from relight_assets.storage.local import LocalStorage
from relight_assets_tests.conftest import PORTRAITS, Project, recipe_with


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [PORTRAITS[0], "cat.png"])
    return empty_project


def materialize(
    instance: dg.DagsterInstance, partition: str, assets: list[str], **config: Any
) -> dg.ExecuteInProcessResult:
    ops = {"relight_images": {"config": config}} if set(assets) & {"masks", "albedo", "degraded", "composites"} else {}
    return (
        defs()
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            partition_key=partition,
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in assets],
            run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    )


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    return {
        event.step_materialization_data.materialization.asset_key.to_user_string(): {
            name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.get_step_failure_events()
    reported = event.step_failure_data.user_failure_data
    assert reported is not None
    assert reported.description is not None
    return reported.description


def test_each_asset_can_be_materialized_alone(instance: dg.DagsterInstance, project: Project) -> None:
    for stage in ("masks", "albedo", "degraded", "composites"):
        result = materialize(instance, "train", [stage])
        assert result.success
        found = materialized(result)
        assert set(found) == {stage}
        assert (found[stage]["computed"], found[stage]["failed"]) == (1, 1)
    assert found["composites"]["rows_done"] == 1


def keep_light(project: Project) -> None:
    file = project.root / "config" / "mvp_config.yaml"
    file.write_text(file.read_text().replace("keep_light: false", "keep_light: true"))


def test_the_light_is_an_asset_where_the_recipe_keeps_it(instance: dg.DagsterInstance, project: Project) -> None:
    assert dg.AssetKey("light_maps") not in defs().resolve_all_asset_keys()
    keep_light(project)
    graph = defs().resolve_asset_graph()
    light = dg.AssetKey("light_maps")
    assert graph.get(light).parent_keys == {
        *map(dg.AssetKey, ("masks", "albedo", "degraded")),
        dg.AssetKey(["recipe", "light_maps"]),
    }
    assert light in graph.get(dg.AssetKey("mapping_csv")).parent_keys
    assert light in defs().resolve_job_def("relight_split").asset_layer.executable_asset_keys
    found = materialized(materialize(instance, "train", ["masks", "albedo", "degraded", "composites"]))
    assert (found["composites"]["rows_done"], found["composites"]["rows_pending"]) == (0, 1)
    found = materialized(materialize(instance, "train", ["light_maps", "mapping_csv"]))
    assert (found["light_maps"]["computed"], found["light_maps"]["rows_done"]) == (1, 1)
    assert found["light_maps"]["contact_sheet"]
    assert found["mapping_csv"]["rows_with_output"] == 1
    assert (project.data / "outputs" / "data-train" / "00000_light.exr").is_file()


def test_a_recipe_that_keeps_light_since_the_definitions_were_loaded_asks_for_a_reload(
    instance: dg.DagsterInstance, project: Project
) -> None:
    loaded = defs().resolve_implicit_global_asset_job_def()
    keep_light(project)
    result = loaded.execute_in_process(
        partition_key="train", instance=instance, asset_selection=[dg.AssetKey("masks")], raise_on_error=False
    )
    assert "asks for light_maps" in failure(result)
    assert "reload the definitions" in failure(result)
    assert not list((project.data / "outputs").glob("data-train/00000_*"))


def test_a_failed_row_is_a_success_of_the_run_and_a_dead_letter(instance: dg.DagsterInstance, project: Project) -> None:
    assets = ["masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters"]
    result = materialize(instance, "train", assets)
    assert result.success
    found = materialized(result)
    assert set(found) == set(assets)
    assert found["dead_letters"]["dagster/row_count"] == 1
    assert found["mapping_csv"]["rows_with_output"] == 1
    assert found["masks"]["failures_by_code"] == {"no_person": 1}


def test_a_csv_that_changes_during_a_run_is_the_next_runs(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run_images.run_split

    def while_somebody_adds_a_row(*arguments: Any, **options: Any) -> Any:
        summary = real(*arguments, **options)
        project.write_csv("train", [PORTRAITS[0], "cat.png", PORTRAITS[1]])
        return summary

    assets = ["masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters"]
    with monkeypatch.context() as patch:
        patch.setattr(run_images, "run_split", while_somebody_adds_a_row)
        found = materialized(materialize(instance, "train", assets))
    assert found["mapping_csv"]["dagster/row_count"] == found["masks"]["rows"] == 2
    assert found["mapping_csv"]["rows_pending"] == 0
    found = materialized(materialize(instance, "train", assets))
    assert found["mapping_csv"]["dagster/row_count"] == 3
    assert found["masks"]["computed"] == 1


def test_a_new_look_at_the_same_content_has_the_same_data_version(
    instance: dg.DagsterInstance, project: Project
) -> None:
    def version() -> str:
        materialize(instance, "train", ["masks"])
        event = instance.get_latest_materialization_event(dg.AssetKey("masks"))
        assert event is not None
        assert event.asset_materialization is not None
        return (event.asset_materialization.tags or {})["dagster/data_version"]

    first = version()
    assert version() == first
    project.write_csv("train", PORTRAITS[:2])
    assert version() != first


@pytest.mark.parametrize(
    ("partition", "config", "reported"),
    [
        ("gone", {}, "the split `gone` has no CSV"),
        ("train", {"num_gpus": 99}, "99 GPUs"),
    ],
)
def test_a_mistake_fails_the_run_with_one_sentence(
    instance: dg.DagsterInstance, project: Project, partition: str, config: dict[str, Any], reported: str
) -> None:
    result = materialize(instance, partition, ["masks"], **config)
    assert not result.success
    assert reported in failure(result)
    assert not materialized(result)


@pytest.mark.parametrize(
    ("write", "reported"),
    [
        (lambda path: path.write_text("image\na.png\n"), "there is no column 'image_path'"),
        (lambda path: path.symlink_to("nowhere.csv"), "is a link to nowhere.csv, which is not there"),
    ],
)
def test_a_partition_whose_csv_is_bad_fails_with_one_sentence_and_no_other_does(
    instance: dg.DagsterInstance, project: Project, write: Callable[[Path], object], reported: str
) -> None:
    bad = project.data / "val_images.csv"
    bad.unlink(missing_ok=True)
    write(bad)
    try:
        good, result = materialize(instance, "train", ["masks"]), materialize(instance, "val", ["masks"])
    finally:
        bad.unlink()
    assert good.success
    assert not result.success
    assert str(bad) in failure(result)
    assert reported in failure(result)


def test_the_metadata_is_rich_enough_to_decide_by(instance: dg.DagsterInstance, project: Project) -> None:
    found = materialized(materialize(instance, "train", ["masks", "albedo", "degraded", "composites"]))
    for stage, metadata in found.items():
        names = list(metadata)
        assert names[0] == "images"
        assert names.index("rows_done") < names.index("contact_sheet") < names.index("workers")
        assert metadata["contact_sheet"].startswith(f"![train-{stage}")
        assert ("charts" in metadata) == (stage == "degraded")
        assert ("lowest_mask_score" in metadata) == (stage == "masks")
        assert ("most_clipped" in metadata) == (stage == "masks" and metadata["mean_clipped"] > 0)
        assert metadata["worker_peak_mib"] > 50
        assert metadata["package_version"]
        assert len(metadata["recipe_digest"]) == len(metadata["stage_recipe_digest"]) == 32
        assert ("model_digest" in metadata) == (stage in ("masks", "albedo", "degraded"))
        assert all(isinstance(metadata[name], int) for name in ("rows", "rows_done", "computed", "failed"))
        assert isinstance(metadata["images_per_s"], float)
    assert found["masks"]["recipe_digest"] == found["degraded"]["recipe_digest"]
    assert found["masks"]["stage_recipe_digest"] != found["degraded"]["stage_recipe_digest"]
    assert 0 <= found["masks"]["mean_clipped"] < 0.2
    assert sum(found["degraded"][f"share_{name}"] for name in family_names()) == pytest.approx(1)
    assert f" {found['masks']['worker_peak_mib']:,} MiB" in found["masks"]["devices"]


def test_failed_rows_are_a_warning_in_the_log(instance: dg.DagsterInstance, project: Project) -> None:
    result = materialize(instance, "train", ["masks"])
    warnings = [event.user_message for event in instance.all_logs(result.run_id) if event.level == logging.WARNING]
    assert warnings == ["train: 1 rows failed, 0 were rejected; `dead_letters` lists them"]


def test_a_disk_without_room_for_the_sheets_is_one_sentence(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = LocalStorage.put

    def full(storage: LocalStorage, path: Path, *more: Any, **options: Any) -> None:
        if path.name == "contact_sheet.jpg":
            raise OSError(errno.ENOSPC, "No space left on device")
        put(storage, path, *more, **options)

    monkeypatch.setattr(LocalStorage, "put", full)
    result = materialize(instance, "train", ["masks", "albedo", "degraded", "composites"])
    assert result.success
    reported = "without the file contact_sheet.jpg: OSError: [Errno 28] No space left on device"
    assert materialized(result)["masks"]["warnings"] == [reported]
    assert (project.data / "outputs" / "data-train" / "00000_output.png").is_file()


# -- a CSV of the same name in another folder -----------------------------------------------------------------

ALL = ["masks", "albedo", "degraded", "composites", "mapping_csv", "dead_letters"]


@pytest.fixture
def two_folders(instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """`data` was run; `other` has a CSV of the same name and other people, and is csv_dir now."""
    for folder, photo in (("data", PORTRAITS[0]), ("other", PORTRAITS[1])):
        (project.root / folder).mkdir(exist_ok=True)
        shutil.copyfile(project.photos / photo, project.root / folder / "1.png")
        (project.root / folder / "train_images.csv").write_text("image_path\n1.png\n")
    assert materialize(instance, "train", ALL).success
    monkeypatch.setenv("RELIGHT_CSV_DIR", str(project.root / "other"))
    return project


def everything(project: Project) -> dict[str, bytes]:
    files = [path for path in project.root.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if not path.name.startswith((".lock", ".progress"))}


@pytest.mark.parametrize("assets", [ALL, ["masks"], ["mapping_csv", "dead_letters"]], ids=["all", "masks", "mapping"])
def test_other_photos_under_the_same_names_are_refused(
    instance: dg.DagsterInstance, two_folders: Project, assets: list[str]
) -> None:
    before = everything(two_folders)
    result = materialize(instance, "train", assets)
    assert not result.success
    sentences = {
        event.step_failure_data.user_failure_data.description
        for event in result.get_step_failure_events()
        if event.step_failure_data.user_failure_data is not None
    }
    assert len(sentences) == 1
    assert str(two_folders.root / "data" / "1.png") in str(sentences)
    assert everything(two_folders) == before


def test_the_launchpad_can_replace_them(instance: dg.DagsterInstance, two_folders: Project) -> None:
    assert materialize(instance, "train", ALL, replace=True).success
    first, second = (
        (two_folders.root / folder / "train_images_with_relighting_outputs.csv").read_text().splitlines()[1]
        for folder in ("data", "other")
    )
    assert first == "1.png,"
    assert second.endswith("00000_output.png")


def test_a_run_of_a_sensor_or_a_backfill_cannot(instance: dg.DagsterInstance, two_folders: Project) -> None:
    job = defs().resolve_job_def("relight_split")
    before = everything(two_folders)
    result = job.execute_in_process(
        partition_key="train",
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert not result.success
    assert "made of other photos" in failure(result)
    assert everything(two_folders) == before


DAMAGES: dict[str, tuple[str, str, object]] = {
    "a direction": ("degraded", "light_direction", True),
    "what was measured": ("degraded", "metrics", {"strength": "much"}),
    "a family": ("degraded", "degradation_type", 7),
    "a share": ("masks", "coverage", "half"),
    "a fingerprint": ("masks", "fingerprint", 3),
    "a temperature": ("degraded", "key_temperature", [1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_number_that_is_damaged_ends_no_run(instance: dg.DagsterInstance, project: Project, damage: str) -> None:
    stage, name, value = DAMAGES[damage]
    project.write_csv("train", PORTRAITS[:2])
    assets = ["masks", "albedo", "degraded", "composites", "mapping_csv"]
    assert materialize(instance, "train", assets).success
    layout = SplitLayout(project.data / "outputs" / "data-train")
    record = read_record(layout.record(1))
    assert record is not None
    record.stages[stage].numbers[name] = value
    write_record(layout, record)
    result = materialize(instance, "train", assets)
    assert result.success
    found = materialized(result)
    assert found["composites"]["rows_done"] == 2
    assert found["composites"]["reused"] == 2
    assert {"contact_sheet", "contact_sheet_file"} <= set(found["composites"])
    assert "charts" in found["degraded"]
    assert found["masks"]["mean_score"] > 0.9
    checks = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert checks["files_match_records"]


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, {"masks": {"python", "tensorflow"}, "albedo": {"python", "opencv"}, "degraded": {"python", "opencv"}}),
        ({"segmenter": "selfie_multiclass"}, {"masks": {"python", "tensorflow"}}),
        ({"segmenter": "sam3"}, {"masks": {"python", "pytorch"}}),
        ({"segmenter": "sam3_transformers"}, {"masks": {"python", "pytorch", "huggingface"}}),
        (
            {"albedo_extraction": {"mix": {"learned": 1}}, "geometry": {"source": "depth_model"}},
            {
                "masks": {"python", "tensorflow"},
                "albedo": {"python", "opencv", "onnx"},
                "degraded": {"python", "opencv", "onnx"},
                "composites": {"python", "opencv"},
            },
        ),
    ],
)
def test_the_kinds_are_those_of_the_models_that_the_recipe_chooses(
    sections: dict[str, Any], expected: dict[str, set[str]]
) -> None:
    kinds = {spec.key.to_user_string(): spec.kinds for spec in images_asset(recipe_with(**sections)).specs}
    assert {stage: kinds[stage] for stage in expected} == expected
