"""The partitions and the observed CSV."""

import os
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.defs.assets import splits
from relight_assets.defs.assets.splits import checked_csvs, register_splits, split_csv_source
from relight_assets.defs.names import OWN
from relight_assets.defs.resources import run_inputs
from relight_assets_tests.conftest import sha256

PROJECT = ProjectSource(os.environ)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIGHT_CSV_DIR", str(tmp_path))
    for name in ("train_images.csv", "val_images.csv", "train_images_with_relighting_outputs.csv", "scores.csv"):
        (tmp_path / name).write_text("image_path\na.png\n", encoding="utf-8")
    return tmp_path


def test_every_input_csv_becomes_a_partition_and_output_csvs_do_not(folder: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert register_splits(instance, PROJECT.settings()) == ["train", "val"]
        assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}


def write_bad_ones(folder: Path) -> list[str]:
    """A CSV of every kind that cannot be used; their names."""
    (folder / "my split_images.csv").write_text("image_path\na.png\n", encoding="utf-8")
    (folder / "column_images.csv").write_text("image\na.png\n", encoding="utf-8")
    (folder / "wide_images.csv").write_bytes("image_path\na.png\n".encode("utf-16"))
    (folder / "binary_images.csv").write_bytes(bytes(range(256)))
    (folder / "ragged_images.csv").write_text("image_path,a\na.png\n", encoding="utf-8")
    (folder / "nowhere_images.csv").symlink_to("gone.csv")
    (folder / "circle_images.csv").symlink_to("circle_images.csv")
    os.mkfifo(folder / "pipe_images.csv")
    for name in ("twin_images.csv", "TWIN_images.csv"):
        (folder / name).write_text("image_path\na.png\n", encoding="utf-8")
    return sorted(path.name for path in folder.glob("*_images.csv") if path.name[:3] not in ("tra", "val"))


def test_no_partition_is_made_of_a_csv_that_cannot_be_used_or_has_no_rows(folder: Path) -> None:
    bad = write_bad_ones(folder)
    (folder / "empty_images.csv").write_text("image_path\n", encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        assert register_splits(instance, PROJECT.settings()) == ["train", "val"]
        assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}
        found = checked_csvs(instance, PROJECT.settings())
    assert sorted(path.name for path in found.faults) == bad
    assert list(found.empty) == ["empty"]


def test_a_large_csv_that_did_not_change_is_not_read_at_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relight_assets.dataset.csv.contents.RESTED_S", -1.0)
    with dg.DagsterInstance.ephemeral() as instance:
        register_splits(instance, PROJECT.settings())
        splits._known_csvs.cache_clear()  # another process
        monkeypatch.setattr(
            "relight_assets.dataset.csv.folder.read_split_csv", lambda path: pytest.fail(f"read {path}")
        )
        assert register_splits(instance, PROJECT.settings()) == ["train", "val"]


def observe(instance: dg.DagsterInstance) -> tuple[dg.ExecuteInProcessResult, dict[str | None, str]]:
    """An observation of all CSVs, and the data versions that it recorded."""
    made = dg.Definitions(
        [split_csv_source()], executor=dg.in_process_executor, resources={OWN.run_inputs: run_inputs(PROJECT.context)}
    )
    job = made.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, asset_selection=[OWN.split_csv], raise_on_error=False)
    versions = {
        event.asset_observation.partition: (event.asset_observation.tags or {})["dagster/data_version"]
        for record in instance.fetch_observations(OWN.split_csv, limit=10).records
        if (event := record.event_log_entry).asset_observation is not None
    }
    return result, versions


def test_observing_records_the_content_of_every_csv(folder: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        register_splits(instance, PROJECT.settings())
        result, versions = observe(instance)
    assert result.success
    assert versions == {name: sha256(folder / f"{name}_images.csv") for name in ("train", "val")}


def test_observing_records_the_others_and_fails_with_what_is_wrong(folder: Path) -> None:
    bad = write_bad_ones(folder)
    with dg.DagsterInstance.ephemeral() as instance:
        register_splits(instance, PROJECT.settings())
        result, versions = observe(instance)
    assert versions == {name: sha256(folder / f"{name}_images.csv") for name in ("train", "val")}
    (failure,) = result.get_step_failure_events()
    reported = failure.step_failure_data.user_failure_data
    assert reported is not None
    assert [name for name in bad if str(folder / name) not in str(reported.description)] == []
