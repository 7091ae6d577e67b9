"""Different files, one size, both formats."""

import csv
from pathlib import Path

import cv2

from benchmarks.bench.portraits import write_portraits
from relight_assets_tests.conftest import sha256


def test_portraits_are_square_upright_and_all_different(tmp_path: Path, photos: Path) -> None:
    table = write_portraits(tmp_path, 35, 96)
    with table.open(newline="", encoding="utf-8") as file:
        paths = [tmp_path / row["image_path"] for row in csv.DictReader(file)]
    assert len(paths) == len({sha256(path) for path in paths}) == 35
    assert {cv2.imread(str(path)).shape for path in paths} == {(96, 96, 3)}
    assert sum(path.suffix == ".png" for path in paths[:16]) == 7
