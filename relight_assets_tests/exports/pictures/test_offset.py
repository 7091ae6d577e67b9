"""A shift of a tenth of a pixel is seen under another light, and no light is taken for a shift."""

import cv2
import numpy as np
import pytest

from relight_assets.core.arrays import Rgb8
from relight_assets.exports.pictures.offset import Offset, offset_of
from relight_assets_tests.conftest import Bench, read_rgb


def shifted(image: Rgb8, x: float, y: float) -> Rgb8:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (image.shape[1], image.shape[0])
    moved: Rgb8 = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
    return moved


@pytest.fixture
def pairs(finished: Bench) -> list[tuple[Rgb8, Rgb8, Rgb8]]:
    """Target, condition and alpha."""
    layout = finished.layout
    return [
        (
            read_rgb(layout.png(number, "input")),
            read_rgb(layout.png(number, "output")),
            np.ascontiguousarray(read_rgb(layout.png(number, "foreground"))[..., 3]),
        )
        for number in range(4)
    ]


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.1, 0.0), (0.0, -0.1), (-0.07, 0.07)])
def test_a_shift_under_another_light(pairs: list[tuple[Rgb8, Rgb8, Rgb8]], x: float, y: float) -> None:
    found = [offset_of(target, shifted(condition, x, y), alpha) for target, condition, alpha in pairs]
    measured = np.array([each for each in found if each is not None])
    assert len(measured) >= 3
    # These pictures have a sixteenth of the pixels of others.
    assert np.median(measured, axis=0) == pytest.approx((x, y), abs=0.05)


def test_brightness_and_color_are_no_shift(pairs: list[tuple[Rgb8, Rgb8, Rgb8]]) -> None:
    target, _, alpha = pairs[0]
    warm = np.clip(target.astype(np.float32) * (0.9, 0.6, 0.4), 0, 255).astype(np.uint8)
    found = offset_of(target, warm, alpha)
    assert found is not None
    assert found.size < 0.05


def test_nothing_is_said_of_gray_of_little_and_of_nothing(pairs: list[tuple[Rgb8, Rgb8, Rgb8]]) -> None:
    target, condition, alpha = pairs[0]
    gray = cv2.cvtColor(cv2.cvtColor(target, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert offset_of(gray, gray, alpha) is None
    small = np.zeros_like(alpha)
    small[:60, :60] = 255
    assert offset_of(target, condition, small) is None
    assert offset_of(np.zeros_like(target), np.zeros_like(target), alpha) is None


def test_its_length() -> None:
    assert Offset(0.3, -0.4).size == pytest.approx(0.5)
