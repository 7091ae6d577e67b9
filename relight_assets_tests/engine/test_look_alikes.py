"""Photos of two splits that are the same, or nearly."""

import csv
from pathlib import Path

import cv2
import pytest

from relight_assets.dataset.records import read_record, write_record
from relight_assets.dataset.split_csv import read_split_csv
from relight_assets.engine.look_alikes import Pair, look_alikes
from relight_assets.engine.run import RunOptions, look, run_split
from relight_assets.recipe import Recipe
from relight_assets_tests.conftest import PORTRAITS, Bench


@pytest.fixture
def pairs_of(bench: Bench, tmp_path: Path, photos: Path) -> list[Pair]:
    """Of val, beside a train that has the same photo once by its bytes and once as a JPEG."""
    bench.write_csv(PORTRAITS)
    bench.run(stages=["masks"])
    second = cv2.imread(str(photos / PORTRAITS[1]))
    assert second is not None
    cv2.imwrite(str(tmp_path / "again.jpg"), second, [cv2.IMWRITE_JPEG_QUALITY, 80])
    (tmp_path / "moved.png").write_bytes((photos / PORTRAITS[0]).read_bytes())
    with (tmp_path / "val_images.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path"], ["moved.png"], ["again.jpg"]])
    split = read_split_csv(tmp_path / "val_images.csv")
    run_split(split, Recipe(), bench.settings, RunOptions(stages=["masks"]))
    return look_alikes(look(split, Recipe(), bench.settings))


def test_the_same_bytes_and_nearly_the_same_picture_are_found(pairs_of: list[Pair]) -> None:
    same, nearly = pairs_of
    assert (same.own.image_path, same.bits, same.other.split) == ("moved.png", None, "train")
    assert same.other.image_path.endswith(PORTRAITS[0])
    assert nearly.own.image_path == "again.jpg"
    assert nearly.bits is not None
    assert nearly.bits <= 24
    assert nearly.other.image_path.endswith(PORTRAITS[1])


def test_a_split_alone_and_records_without_fingerprint_have_no_pairs(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    assert look_alikes(bench.survey()) == []
    record = read_record(bench.layout.record(0))
    assert record is not None
    del record.stages["masks"].numbers["fingerprint"]
    write_record(bench.layout, record)
    other = bench.layout.folder.parent / "data-other"
    other.mkdir()
    (other / "00000_metadata.json").write_bytes(
        bench.layout.record(0).read_bytes().replace(b'"sha256": "', b'"sha256": "0')
    )
    assert look_alikes(bench.survey()) == []
