"""Sheets: what stands where, and that nothing missing or damaged is a reason to fail."""

import shutil

import cv2
import numpy as np
import pytest

from relight_assets.quality.measured import Verdict
from relight_assets.reports.contact_sheets import (
    COLUMNS,
    SHOWN_WIDTH,
    WORST,
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
