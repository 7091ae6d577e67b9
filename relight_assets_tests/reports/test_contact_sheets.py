"""Sheets: what stands where, and that nothing missing or damaged is a reason to fail."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.dataset.layout import SplitLayout
from relight_assets.imaging.png import encode_png
from relight_assets.quality.measured import Verdict
from relight_assets.reports.contact_sheets import (
    COLUMNS,
    SHOWN_WIDTH,
    WORST,
    WORST_CELL,
    comparison_sheet,
    contact_sheet,
    lights_sheet,
    metric_sheet,
    photo_sheet,
    stage_sheet,
    worst_sheet,
)
from relight_assets_tests.conftest import Bench
from relight_assets_tests.faults.one_file import OTHERS, put


def cell_of(layout: SplitLayout, name: str) -> NDArray[np.uint8]:
    """The cell of image 0 in a sheet of the worst, under its caption."""
    jpeg = worst_sheet(layout, name, [(0, 1.0)])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    return sheet[22:, :WORST_CELL].astype(np.uint8)


def test_a_sheet_has_a_row_per_portrait_and_a_column_per_step(finished: Bench) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    height, width = sheet.shape[:2]
    assert (height, width) == (22 + 4 * 88, len(COLUMNS) * 88)
    # The last column is the composite on gray: its corner is gray, the first column's is not.
    assert abs(int(sheet[22 + 20, width - 20].mean()) - 128) < 6


def test_the_sheet_of_a_stage_fits_and_names_each_image(finished: Bench) -> None:
    jpeg = stage_sheet(finished.layout, ("input", "output"), [(0, "a.png"), (1, "b.png")])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape[:2] == (22 + 2 * (22 + 220), SHOWN_WIDTH)
    assert (sheet[22:44, :200] > 150).any()  # the caption
    assert stage_sheet(finished.layout, ("input", "output"), []) is None


def test_photos_that_cannot_be_shown_are_dark_under_their_caption() -> None:
    white = np.full((40, 30, 3), 255, np.uint8)
    jpeg = photo_sheet([("00000 no_person", white), ("00001 image_corrupt", None)])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape[:2] == (22 + 110, SHOWN_WIDTH)
    assert sheet[22 + 53, 53].mean() > 240
    assert sheet[22 + 53, 110 + 53].mean() < 60
    assert photo_sheet([]) is None


def test_at_most_five_rows_spread_over_all(finished: Bench) -> None:
    few, many = contact_sheet(finished.layout, [0, 1, 2, 3, 0]), contact_sheet(finished.layout, [0, 1, 2, 3] * 30)
    assert few is not None
    assert many is not None
    heights = [cv2.imdecode(np.frombuffer(j, np.uint8), cv2.IMREAD_COLOR).shape[0] for j in (few, many)]
    assert heights == [22 + 5 * 88] * 2


def test_nothing_done_gives_no_sheet(finished: Bench) -> None:
    assert contact_sheet(finished.layout, []) is None


def test_a_stage_not_made_yet_is_a_dark_cell(bench: Bench) -> None:
    bench.write_csv(["collins_head.png"])
    bench.run(stages=["masks"])
    jpeg = contact_sheet(bench.layout, [0])
    assert jpeg is not None


def test_a_damaged_image_is_a_dark_cell_and_no_error(bench: Bench) -> None:
    bench.write_csv(["collins_head.png"])
    bench.run()
    bench.layout.png(0, "output").write_bytes(b"damaged")
    assert contact_sheet(bench.layout, [0]) is not None


def test_an_image_that_was_replaced_is_shown_anew(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path)
    before, after = (np.full((64, 64, 3), level, np.uint8) for level in (40, 200))
    for pixels in (before, after, before):
        layout.png(0, "input").write_bytes(encode_png(pixels))
        assert abs(cell_of(layout, "input")[50, 50].mean() - pixels.mean()) < 6


def test_a_transparent_image_stands_on_a_checkerboard(tmp_path: Path) -> None:
    layout = SplitLayout(tmp_path)
    pixels = np.zeros((320, 320, 4), np.uint8)
    pixels[:160] = (10, 20, 250, 255)
    layout.png(0, "foreground").write_bytes(encode_png(pixels))
    cell = cell_of(layout, "foreground")
    assert np.abs(cell[10:40, 10:90].mean(axis=(0, 1)) - (10, 20, 250)).max() < 6
    below = cell[60:100, 10:90].astype(int)
    assert np.ptp(below, axis=2).max() < 12  # gray
    assert (below.min() < 172, below.max() > 193) == (True, True)  # of two levels, 160 and 205


def test_the_worst_stand_in_two_rows_of_four(finished: Bench) -> None:
    worst = [(number % 4, number / 10) for number in range(20)]
    sheets = [worst_sheet(finished.layout, "foreground", worst[:count]) for count in (3, 6, 20)]
    sizes = []
    for jpeg in sheets:
        assert jpeg is not None
        sizes.append(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2])
    assert sizes == [(132, 3 * 110), (264, 4 * 110), (264, 4 * 110)]
    assert WORST == 8
    assert worst_sheet(finished.layout, "foreground", []) is None


def test_two_recipes_stand_side_by_side(finished: Bench) -> None:
    jpeg = comparison_sheet(finished.layout, finished.layout, [(0, 0), (1, 1)])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape[:2] == (22 + 2 * 88, 5 * 88)
    own, other = (sheet[22:, column * 88 : column * 88 + 84].astype(int) for column in (3, 4))
    assert np.abs(own - other).mean() < 2  # the same images, a JPEG apart
    assert comparison_sheet(finished.layout, finished.layout, []) is None


def test_the_worst_by_each_metric_stand_under_it(finished: Bench) -> None:
    identity = Verdict("identity", 4, 0.6, ">= 0.55", True, (2, 0), (0.6, 0.7))
    reported_all = Verdict("identity, median", 4, 0.9, ">= 0.8", True)
    one = metric_sheet(finished.layout, [identity, reported_all], cell=64)
    assert one is not None
    assert one.shape == (2 * 22 + 68, WORST * 68, 3)
    assert (one[44:, 2 * 68 :] == 24).all()  # only two are reported
    two = metric_sheet(finished.layout, [identity, identity], ("input", "output"), cell=64)
    assert two is not None
    assert two.shape == (2 * (2 * 22 + 2 * 68), WORST * 68, 3)
    assert metric_sheet(finished.layout, [reported_all]) is None


def test_what_an_albedo_is_bad_by_is_shown_on_the_albedo(finished: Bench) -> None:
    of_albedo = Verdict("mid contrast", 4, 0.6, ">= 0.6 (95%)", True, (2, 0), (0.6, 0.7), image="albedo")
    shown = metric_sheet(finished.layout, [of_albedo], cell=64)
    assert shown is not None
    assert np.array_equal(shown, metric_sheet(finished.layout, [of_albedo], ("albedo",), cell=64))
    assert not np.array_equal(shown, metric_sheet(finished.layout, [of_albedo], ("output",), cell=64))


@pytest.mark.parametrize("kind", OTHERS)
def test_whatever_stands_in_an_images_place_is_a_dark_cell(bench: Bench, finished: Bench, kind: str) -> None:
    shutil.copytree(finished.layout.folder, bench.layout.folder)
    for name in ("output", "foreground"):
        put(kind, bench.layout.png(1, name))
    assert contact_sheet(bench.layout, [0, 1]) is not None
    assert worst_sheet(bench.layout, "foreground", [(1, 0.5)]) is not None
    assert comparison_sheet(finished.layout, bench.layout, [(0, 0), (1, 1)]) is not None


def test_an_image_without_colour_is_a_dark_cell(bench: Bench) -> None:
    bench.layout.folder.mkdir(parents=True)
    cv2.imwrite(str(bench.layout.png(0, "output")), np.zeros((40, 40), np.uint8))
    assert contact_sheet(bench.layout, [0]) is not None


def test_the_sheet_of_lights_has_a_titled_row_for_each_photo(finished: Bench) -> None:
    jpeg = lights_sheet(finished.layout, [("Zoë.png", 0), ("b.png", 2)], 1, cell=100)
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape == (22 + 2 * (22 + 104), 4 * 104, 3)
    assert abs(int(sheet[22 + 22 + 12, 4 * 104 - 12].mean()) - 128) < 6  # the corner of the composite is gray
