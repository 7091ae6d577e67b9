"""What a role's file is: a file of the split, or made of several; and how pictures are put on a background."""

from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.exports.base import Caption, Pair, Source
from relight_assets.exports.pictures.pair_pictures import PairPictures, over, shown_file

NAMES = ("input", "foreground", "albedo", "degraded_fg", "output", "target_output", "target_degraded_fg")


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    sources = {name: Source(tmp_path / f"{name}.png", name, 1, "t") for name in NAMES}
    return Pair("000000", "a.png", 0, 0, sources, Caption("x", "fixed"), None, "labels", "maker")


@pytest.mark.parametrize(
    ("options", "target", "condition"),
    [
        ({}, "input", "output"),
        ({"direction": "degrade"}, "output", "input"),
        ({"target": "photo_on_gray"}, None, "output"),
        ({"target": "albedo", "background": "gray"}, None, None),
        ({"target": "variant"}, "target_output", "output"),
        ({"target": "variant", "background": "original"}, None, None),
    ],
)
def test_which_files_are_taken_as_they_are(
    pair: Pair, options: dict[str, str], target: str | None, condition: str | None
) -> None:
    pictures = PairPictures(pair, ExportOptions(resolution="source", **options))  # type: ignore[arg-type]
    pictures.__dict__["_is_uncut"] = True
    taken = [pictures.picture(role).source for role in ("target", "condition", "mask")]
    assert [source.sha256 if source is not None else None for source in taken] == [target, condition, None]


@pytest.mark.parametrize(
    ("options", "shown"),
    [({}, "input"), ({"target": "photo_on_gray"}, "input"), ({"target": "albedo"}, "albedo"),
     ({"target": "variant"}, "target_output"), ({"direction": "degrade"}, "output")],
)  # fmt: skip
def test_which_file_shows_what_the_target_shows(pair: Pair, options: dict[str, str], shown: str) -> None:
    assert shown_file(pair, ExportOptions(**options)).sha256 == shown  # type: ignore[arg-type]


def test_what_is_made_is_told_apart_by_all_that_decides_it(pair: Pair) -> None:
    def made_of(**options: object) -> str:
        return PairPictures(pair, ExportOptions(**options)).picture("mask").made_of  # type: ignore[arg-type]

    pair.sources["input"].path.write_bytes(b"")
    assert made_of() == made_of(caption="none")
    assert len({made_of(), made_of(multiple_of=8), made_of(resolution=512)}) == 3


def test_on_a_background() -> None:
    colors = np.full((1, 3, 3), 200, np.uint8)
    alpha = np.array([[0, 128, 255]], np.uint8)
    assert over(colors, alpha, 128)[0, :, 0].tolist() == [128, 164, 200]
    back = np.zeros((1, 3, 3), np.uint8)
    assert over(colors, alpha, back)[0, :, 0].tolist() == [0, 100, 200]
