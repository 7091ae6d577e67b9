"""The partitions and the observed CSV."""

from pathlib import Path

import dagster as dg
import pytest

from relight_assets.defs.run_locks import RUN_LOCK, RunLock
from relight_assets.defs.splits import SPLIT_CSV, register_splits, split_csv
from relight_assets.errors import CsvError
from relight_assets.settings import load_settings
from relight_assets_tests.conftest import sha256


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIGHT_CSV_DIR", str(tmp_path))
    for name in ("train_images.csv", "val_images.csv", "train_images_with_relighting_outputs.csv", "scores.csv"):
        (tmp_path / name).write_text("image_path\na.png\n", encoding="utf-8")
    return tmp_path


def test_every_csv_becomes_a_partition_and_outgoing_ones_do_not(folder: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert register_splits(instance, load_settings()) == ["train", "val"]
        assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}


def test_a_name_that_is_no_partition_key_is_refused(folder: Path) -> None:
    (folder / "my split_images.csv").write_text("image_path\n", encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(CsvError, match="my split"):
        register_splits(instance, load_settings())


def test_observing_records_the_content_of_every_csv(folder: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        register_splits(instance, load_settings())
        resources = {RUN_LOCK: RunLock()}
        made = dg.Definitions([split_csv], executor=dg.in_process_executor, resources=resources)
        job = made.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[SPLIT_CSV]).success
        versions = {
            event.asset_observation.partition: (event.asset_observation.tags or {})["dagster/data_version"]
            for record in instance.fetch_observations(SPLIT_CSV, limit=10).records
            if (event := record.event_log_entry).asset_observation is not None
        }
    assert versions == {name: sha256(folder / f"{name}_images.csv") for name in ("train", "val")}
