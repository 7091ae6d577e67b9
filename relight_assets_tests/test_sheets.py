"""The contact sheet: a picture with all columns, small enough for the UI."""

import base64
from pathlib import Path

import cv2
import dagster as dg
import numpy as np

from relight_assets.defs.previews import COLUMNS, WORST, comparison_sheet, contact_sheet, inline, worst_sheet
from relight_assets_tests.conftest import Bench


def test_a_sheet_has_a_row_per_portrait_and_a_column_per_step(finished: Bench) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    height, width = sheet.shape[:2]
    assert (height, width) == (22 + 4 * 136, len(COLUMNS) * 136)
    # The last column is the composite on gray: its corner is gray, the first column's is not.
    assert abs(int(sheet[22 + 20, width - 20].mean()) - 128) < 6


def test_at_most_five_rows_spread_over_all(finished: Bench) -> None:
    few, many = contact_sheet(finished.layout, [0, 1, 2, 3, 0]), contact_sheet(finished.layout, [0, 1, 2, 3] * 30)
    assert few is not None
    assert many is not None
    heights = [cv2.imdecode(np.frombuffer(j, np.uint8), cv2.IMREAD_COLOR).shape[0] for j in (few, many)]
    assert heights == [22 + 5 * 136] * 2


def test_the_inline_text_is_short_enough_to_be_shown_at_once(finished: Bench, tmp_path: Path) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    assert len(jpeg) < 300_000
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        text = inline(jpeg, "jpg", instance, "run", "train").value
    assert text is not None
    assert len(text) < 1000
    assert "](/logs/relight_previews/run/train/jpg)" in text
    (stored,) = tmp_path.rglob("train.jpg")
    assert stored.read_bytes() == jpeg


def test_without_local_logs_the_picture_is_in_the_text(finished: Bench) -> None:
    jpeg = contact_sheet(finished.layout, [0, 1, 2, 3])
    assert jpeg is not None
    with dg.DagsterInstance.ephemeral() as instance:
        text = inline(jpeg, "jpg", instance, "run", "train").value
    assert text is not None
    assert len(text) < 300_000
    assert base64.b64decode(text.split("base64,")[1].rstrip(")")) == jpeg


def test_nothing_done_gives_no_sheet(finished: Bench) -> None:
    assert contact_sheet(finished.layout, []) is None


def test_a_stage_not_made_yet_is_a_dark_cell(bench: Bench) -> None:
    bench.write_csv(["collins_head.png"])
    bench.run(stages=["masks"])
    jpeg = contact_sheet(bench.layout, [0])
    assert jpeg is not None


def test_a_damaged_picture_is_a_dark_cell_and_no_error(bench: Bench) -> None:
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
    assert sizes == [(190, 3 * 168), (380, 4 * 168), (380, 4 * 168)]
    assert WORST == 8
    assert worst_sheet(finished.layout, "foreground", []) is None


def test_two_recipes_stand_side_by_side(finished: Bench) -> None:
    jpeg = comparison_sheet(finished.layout, finished.layout, [(0, 0), (1, 1)])
    assert jpeg is not None
    sheet = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape[:2] == (22 + 2 * 136, 5 * 136)
    own, other = (sheet[22:, column * 136 : column * 136 + 132].astype(int) for column in (3, 4))
    assert np.abs(own - other).mean() < 2  # the same pictures, a JPEG apart
    assert comparison_sheet(finished.layout, finished.layout, []) is None
