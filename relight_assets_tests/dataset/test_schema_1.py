"""A folder that the first version wrote is read as it is: nothing is hashed, nothing computed, nothing rewritten."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.loader import load_recipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import SplitCsv, read_split_csv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.origin import read_origin
from relight_assets.dataset.records import read_failure, read_record
from relight_assets.engine import preparation
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.load import load_split_state
from relight_assets.models.files import ModelFiles
from relight_assets.quality.verify.split import verify_split
from relight_assets.stages.registry import stage_names, stage_spec
from relight_assets_tests.conftest import computed, sha256

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "schema_1"


@pytest.fixture
def settings(tmp_path: Path, model_files: None) -> Settings:
    shutil.copytree(FIXTURE / "data", tmp_path / "data")
    made = Settings(
        csv_dir=tmp_path / "data", output_root=tmp_path / "data/outputs", dagster_home=tmp_path / "home", cpu_workers=1
    )
    for file in sorted((made.output_root / "data-train").glob("*.json")):
        content = json.loads(file.read_text())
        _made_by_this_code(content)
        file.write_text(json.dumps(content, indent=1))
        _set_times(made, content)
    return made


def _made_by_this_code(content: dict[str, Any]) -> None:
    """Stages whose code has changed since are as if they had been made by it: this is about records alone."""
    digests = Digests(recipe(), ModelFiles().sha256_of)
    files: dict[str, str] = {}
    for stage in stage_names():
        entry = content.get("stages", {}).get(stage)
        if entry is not None:
            if entry["code"] != stage_spec(stage).code_version:
                entry["digest"] = digests.of(stage, content["source"]["sha256"], files)
            files |= {name: stamp["sha256"] for name, stamp in entry["files"].items()}
    if content.get("stage") == "masks":
        content["digest"] = digests.of("masks", content["source_sha256"], {})


def _set_times(settings: Settings, content: dict[str, Any]) -> None:
    layout = SplitLayout(settings.output_root / "data-train")
    mtime_ns = content["source"]["mtime_ns"] if "source" in content else content["source_mtime_ns"]
    os.utime(settings.csv_dir / content["image_path"], ns=(mtime_ns, mtime_ns))
    for entry in content.get("stages", {}).values():
        for name, stamp in entry["files"].items():
            os.utime(layout.png(content["index"], name), ns=(stamp["mtime_ns"], stamp["mtime_ns"]))


def recipe() -> Recipe:
    return load_recipe(FIXTURE / "recipe.yaml").recipe


def split(settings: Settings) -> SplitCsv:
    return read_split_csv(settings.csv_dir / "train_images.csv")


def test_what_the_records_say(settings: Settings) -> None:
    layout = SplitLayout(settings.output_root / "data-train")
    record, failure = read_record(layout.record(0)), read_failure(layout.failure(2))
    assert record is not None
    assert failure is not None
    assert failure.source is not None
    reported = json.loads(layout.record(0).read_text())
    assert record.source.token == str(reported["source"]["mtime_ns"])
    assert record.source.place is None
    assert record.stages["albedo"].files["albedo"].token == str(
        reported["stages"]["albedo"]["files"]["albedo"]["mtime_ns"]
    )
    assert record.stages["masks"].numbers == reported["stages"]["masks"]["numbers"]
    assert failure.source.sha256 == sha256(settings.csv_dir / "photos/cat.jpg")


def never(*_: object, **__: object) -> None:
    raise AssertionError("a file was hashed, or a worker started")


def test_nothing_is_hashed_computed_or_rewritten(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "hash_files", never)
    folder = settings.output_root / "data-train"
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("0*")}
    summary = run_split(split(settings), recipe(), settings, RunOptions(), worker=never)  # type: ignore[arg-type]
    assert summary.state.row_counts() == {"done": 2, "failed": 1}
    assert summary.state.unchecked_rows == 0
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("0*")} == before
    origin = read_origin(SplitLayout(folder))
    assert origin is not None
    assert origin.path == str(settings.csv_dir / "train_images.csv")


def test_verify_finds_it_whole(settings: Settings) -> None:
    write_split_mapping(load_split_state(split(settings), recipe(), settings), settings)
    assert verify_split(split(settings), recipe(), settings).faults == []


def test_a_folder_that_moves_after_the_update_computes_nothing(settings: Settings, tmp_path: Path) -> None:
    run_split(split(settings), recipe(), settings, RunOptions())
    shutil.copytree(tmp_path / "data", tmp_path / "moved", copy_function=shutil.copy)
    shutil.rmtree(tmp_path / "data")
    moved = settings.model_copy(update={"csv_dir": tmp_path / "moved", "output_root": tmp_path / "moved/outputs"})
    assert load_split_state(split(moved), recipe(), moved).unchecked_rows == 3
    summary = run_split(split(moved), recipe(), moved, RunOptions(), worker=never)  # type: ignore[arg-type]
    assert computed(summary) == dict.fromkeys(stage_names(), 0)
    assert summary.state.row_counts() == {"done": 2, "failed": 1}
    record = read_record(SplitLayout(moved.output_root / "data-train").record(0))
    assert record is not None
    assert record.source.place == str(tmp_path / "moved/photos/collins_close.jpg")


def test_an_edited_photo_is_redone_and_its_record_is_todays(settings: Settings) -> None:
    photo = settings.csv_dir / "photos/collins_close.jpg"
    photo.write_bytes(photo.read_bytes() + b"\0")
    summary = run_split(split(settings), recipe(), settings, RunOptions())
    assert computed(summary)["masks"] == 1
    record = read_record(SplitLayout(settings.output_root / "data-train").record(0))
    assert record is not None
    assert record.source.place == str(photo)
