"""What one image's record says is what was read and written."""

import hashlib
import os
from pathlib import Path

import cv2
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.records import read_record
from relight_assets.models.segmenters import batching
from relight_assets_tests.conftest import PORTRAITS, Bench, assert_records_tell_the_truth, computed, recipe_with, sha256


@pytest.fixture
def bmp(bench: Bench, tmp_path: Path) -> Path:
    """A source whose size in bytes does not depend on what is in the image."""
    path = tmp_path / "source.bmp"
    image = cv2.imread(str(bench.photos / PORTRAITS[0]))
    assert image is not None
    cv2.imwrite(str(path), image)
    bench.csv_path.write_text(f"image_path\n{path}\n")
    return path


def replace_unseen(path: Path) -> None:
    """Other bytes under the same name, size and modification time."""
    before = path.stat()
    image = cv2.imread(str(path))
    assert image is not None
    cv2.imwrite(str(path), cv2.flip(image, 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def test_the_record_names_the_source_that_the_pixels_are_of(bench: Bench, bmp: Path) -> None:
    bench.run()
    replace_unseen(bmp)
    assert bench.state().unchecked_rows == 1  # its ctime tells that it may have changed
    assert bench.run().tally.computed_images == 1
    record = read_record(bench.layout.record(0))
    assert record is not None
    assert record.source.sha256 == sha256(bmp)
    assert_records_tell_the_truth(bench.layout)


def test_the_same_holds_where_a_mask_is_redone_because_a_file_was_damaged(bench: Bench, bmp: Path) -> None:
    bench.run()
    replace_unseen(bmp)
    damaged = bench.layout.png(0, "foreground")
    before = damaged.stat()
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 255
    damaged.write_bytes(data)
    os.utime(damaged, ns=(before.st_atime_ns, before.st_mtime_ns))
    bench.run(recipe_with(albedo_extraction={"methods": {"retinex": {"strength": 0.5}}}))
    record = read_record(bench.layout.record(0))
    assert record is not None
    assert record.source.sha256 == sha256(bmp)
    assert hashlib.sha256(damaged.read_bytes()).hexdigest() == record.stages["masks"].files["foreground"].sha256


def test_a_source_that_was_merely_touched_is_not_segmented_again(
    bench: Bench, bmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relight_assets.engine.execution.messages import WorkItem
    from relight_assets.engine.worker.worker import ImageWorker
    from relight_assets.stages.registry import stage_names

    def never(*_: object) -> None:
        raise AssertionError("the segmenter was asked")

    bench.run()
    os.utime(bmp)
    monkeypatch.setattr(batching.Segmentation, "__call__", never)
    worker = ImageWorker(folder=bench.layout.folder, recipe=Recipe(), max_pixels=10**8, threads=1)
    (result,) = worker.process([WorkItem(0, str(bmp), str(bmp), stage_names())])
    assert set(result.outcomes.values()) == {"reused"}  # type: ignore[union-attr]
    assert bench.state().row_counts() == {"done": 1}
    assert computed(bench.run()) == dict.fromkeys(stage_names(), 0)
