"""The whole path with depth and normals from files and from networks: real worker processes."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import LocalModel
from relight_assets.dataset.records import read_failure, read_record
from relight_assets.engine.execution.dispatch import Quarantined
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.quarantine import quarantine
from relight_assets.engine.state.load import digests_of
from relight_assets.errors import CsvError, ModelFileError
from relight_assets.models import store
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, assert_records_tell_the_truth, computed, sha256
from relight_assets_tests.models.runtimes.tiny_onnx import transformer

pytestmark = pytest.mark.usefixtures("worker_processes")

FROM_FILES = {"source": "depth_file"}


@pytest.fixture
def own(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Photos in a folder of their own, each with a depth map beside it."""
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in PORTRAITS[:2]:
        (photos / name).write_bytes((bench.photos / name).read_bytes())
        write_depth(photos / name)
    bench.photos = photos
    bench.write_csv(PORTRAITS[:2])
    return bench


def write_depth(photo: Path, tilt: float = 0.0) -> Path:
    height, width = cv2.imread(str(photo)).shape[:2]
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    bump = np.exp(-8 * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2)) + tilt * columns
    path = photo.with_name(f"{photo.stem}_depth.png")
    cv2.imwrite(str(path), np.rint(bump / bump.max() * 65535).astype(np.uint16))
    return path


def depth_of(bench: Bench, index: int) -> Path:
    return bench.photos / f"{Path(PORTRAITS[index]).stem}_depth.png"


def recipe(**geometry: object) -> Recipe:
    return Recipe.model_validate({"geometry": geometry})


def degraded_of(bench: Bench, index: int) -> dict[str, object]:
    stage: dict[str, object] = json.loads(bench.layout.record(index).read_text())["stages"]["degraded"]
    return stage


def test_a_column_of_the_csv_names_each_photo_s_file(own: Bench, tmp_path: Path) -> None:
    """A second source column: the recipe names it, and no code is touched."""
    own.run(recipe(**FROM_FILES))
    expected = own.png_hashes()
    (tmp_path / "elsewhere").mkdir()
    places = [depth_of(own, index).rename(tmp_path / "elsewhere" / f"{index}.png") for index in (0, 1)]
    relative = os.path.relpath(places[1], own.csv_path.parent)  # as an image_path may be
    photos = [own.photos / name for name in PORTRAITS[:2]]
    own.csv_path.write_text(f"image_path,depth\n{photos[0]},{places[0]}\n{photos[1]},{relative}\n")
    by_column = recipe(**FROM_FILES, files="{column:depth}")
    assert computed(own.run(by_column)) == dict.fromkeys(stage_names(), 0)  # the same bytes at another place
    assert own.png_hashes() == expected
    write_depth(photos[1], tilt=0.5).rename(places[1])
    assert computed(own.run(by_column))["degraded"] == 1
    assert degraded_of(own, 1)["reads"]["geometry_file"]["sha256"] == sha256(places[1])  # type: ignore[index]
    own.csv_path.write_text(f"image_path,depth\n{photos[0]},{places[0]}\n{photos[1]},\n")
    summary = own.run(by_column)
    assert summary.tally.codes == {"geometry_missing": 1}
    assert [image.status for image in summary.state.images.values()] == ["done", "failed"]
    own.write_csv(PORTRAITS[:2])
    with pytest.raises(CsvError, match=r"has no column 'depth', which geometry\.files of the recipe names"):
        own.run(by_column)


def test_another_shape_is_another_image_and_is_recorded(own: Bench) -> None:
    own.run()
    plain = own.png_hashes()
    assert "reads" not in degraded_of(own, 0)
    again = own.run(recipe(**FROM_FILES), workers=2)
    assert computed(again) == {stage: 2 if stage in ("degraded", "composites") else 0 for stage in stage_names()}
    changed = {name for name, sum_ in own.png_hashes().items() if plain[name] != sum_}
    assert changed == {f"0000{i}_{name}.png" for i in (0, 1) for name in ("degraded_fg", "output")}
    for index in (0, 1):
        stage = degraded_of(own, index)
        assert stage["numbers"]["geometry"] == "depth_file"  # type: ignore[index]
        assert stage["reads"]["geometry_file"]["sha256"] == sha256(depth_of(own, index))  # type: ignore[index]
    assert_records_tell_the_truth(own.layout)
    made = own.png_hashes()
    for threads in (1, 3):
        own.settings = own.settings.model_copy(update={"output_root": own.folder / f"o{threads}", "threads": threads})
        own.run(recipe(**FROM_FILES))
        assert own.png_hashes() == made


def test_only_what_a_changed_file_concerns_is_made_again(own: Bench) -> None:
    own.run(recipe(**FROM_FILES))
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 2}
    before = own.png_hashes()
    os.utime(depth_of(own, 0), ns=(5, 5))  # touched: read again, found the same, remembered
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 1, "pending": 1}
    assert own.run(recipe(**FROM_FILES)).tally.computed_images == 0
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 2}
    write_depth(own.photos / PORTRAITS[1], tilt=3)
    assert computed(own.run(recipe(**FROM_FILES)))["degraded"] == 1
    assert {name for name in before if own.png_hashes()[name] != before[name]} == {
        "00001_degraded_fg.png",
        "00001_output.png",
    }
    assert own.run(recipe(**FROM_FILES)).tally.computed_images == 0


def test_a_missing_file_fails_its_image_until_it_is_there(own: Bench) -> None:
    own.run(recipe(**FROM_FILES))
    made = own.png_hashes()
    away = depth_of(own, 0).rename(own.photos / "away.png")
    for _ in range(2):
        summary = own.run(recipe(**FROM_FILES))
        assert summary.tally.codes == {"geometry_missing": 1}
        assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 1, "failed": 1}
    failure = read_failure(own.layout.failure(0))
    assert failure is not None
    assert (failure.stage, failure.retryable, failure.attempts) == ("degraded", True, 2)
    assert "There is no geometry file" in failure.message
    assert own.png_hashes() == made  # what was made of it stays meanwhile
    away.rename(depth_of(own, 0))
    assert own.run(recipe(**FROM_FILES)).tally.computed_images == 0
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 2}
    assert not own.layout.failure(0).exists()


def test_a_file_that_cannot_be_used_is_not_tried_again_before_it_changes(own: Bench) -> None:
    whole = depth_of(own, 0).read_bytes()
    depth_of(own, 0).write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        summary = own.run(recipe(**FROM_FILES))
        assert summary.tally.codes == {"geometry_file": 1}
        failure = read_failure(own.layout.failure(0))
        assert failure is not None
        assert failure.attempts == 1
        assert failure.reads["geometry_file"].sha256 == sha256(depth_of(own, 0))
    record = read_record(own.layout.record(0))
    assert record is not None
    assert set(record.stages) == {"masks", "albedo"}
    depth_of(own, 0).write_bytes(whole)
    assert own.run(recipe(**FROM_FILES)).tally.codes == {}
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 2}


def test_a_photo_that_killed_its_worker_stays_aside_until_its_depth_changes(own: Bench) -> None:
    asked = recipe(**FROM_FILES)
    own.run(asked, stages=["masks", "albedo"])
    photo = own.photos / PORTRAITS[0]
    killed = Quarantined(WorkItem(0, str(photo), str(photo), stage_names()), "signal 11")
    quarantine(own.layout, digests_of(asked, own.settings), killed)
    assert own.state(asked).row_counts() == {"failed": 1, "pending": 1}
    own.run(asked)
    assert own.state(asked).row_counts() == {"failed": 1, "done": 1}
    write_depth(photo, tilt=2)
    own.run(asked)
    assert own.state(asked).row_counts() == {"done": 2}


def test_a_file_outside_the_image_root_is_refused(own: Bench) -> None:
    own.settings = own.settings.model_copy(update={"image_root": own.photos})
    own.run(recipe(source="depth_file", files="../{stem}_depth.png"), num_samples=1)
    failure = read_failure(own.layout.failure(0))
    assert failure is not None
    assert failure.code == "geometry_file"
    assert "leads outside image_root" in failure.message
    own.run(recipe(**FROM_FILES))
    assert own.state(recipe(**FROM_FILES)).row_counts() == {"done": 2}


def test_an_experiment_takes_over_what_was_made_of_the_same_file(own: Bench) -> None:
    own.run(recipe(**FROM_FILES))
    white = Recipe.model_validate({"geometry": FROM_FILES, "background": {"gray_color": [255, 255, 255]}})
    again = computed(own.run(white, experiment="white"))
    assert again == {stage: 2 if stage == "composites" else 0 for stage in stage_names()}


def test_depth_by_a_network_of_yours(own: Bench, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    asked = recipe(source="depth_model", network={"size": 70})
    with pytest.raises(ModelFileError, match=r"`geometry\.source` needs a network: .*RELIGHT_GEOMETRY_MODEL_FILE"):
        own.run(asked)
    assert own.png_hashes() == {}
    model = LocalModel(file=transformer().write(tmp_path / "depth.onnx"))
    own.settings = own.settings.model_copy(update={"geometry_model": model})
    own.run(asked, workers=2)
    made = own.png_hashes()
    assert degraded_of(own, 0)["numbers"]["geometry"] == "depth_model"  # type: ignore[index]
    own.settings = own.settings.model_copy(update={"output_root": tmp_path / "other", "threads": 2})
    own.run(asked)
    assert own.png_hashes() == made
    transformer(seed=1).write(tmp_path / "depth.onnx")
    assert computed(own.run(asked)) == {
        stage: 2 if stage in ("degraded", "composites") else 0 for stage in stage_names()
    }


def test_a_file_with_several_names_is_refused_until_they_are_allowed(own: Bench, tmp_path: Path) -> None:
    own.settings = own.settings.model_copy(update={"image_root": own.photos})
    depth = next(own.photos.glob("*_depth.png"))
    os.link(depth, tmp_path / "another name.png")
    asked = recipe(**FROM_FILES)
    for _ in range(2):  # it is not tried again and again, and never without a word
        own.run(asked)
        assert own.state(asked).row_counts() == {"done": 1, "failed": 1}
    (failure,) = [image.failure for image in own.state(asked).images.values() if image.failure is not None]
    assert failure.code == "geometry_file"
    assert "has 2 names (hard links)" in failure.message
    assert failure.attempts == 1
    own.settings = own.settings.model_copy(update={"hard_links": True})
    own.run(asked, retry_failed=True)
    assert own.state(asked).row_counts() == {"done": 2}
    own.settings = own.settings.model_copy(update={"hard_links": False})
    os.link(depth, tmp_path / "a snapshot.png")  # a link that is made later costs nothing of what is finished
    assert set(computed(own.run(asked)).values()) == {0}
    assert own.state(asked).row_counts() == {"done": 2}
