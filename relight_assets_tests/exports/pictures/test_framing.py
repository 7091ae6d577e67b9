"""Target, condition and mask are cut and reduced alike, around the person."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.errors import UserError
from relight_assets.exports.base import Framing
from relight_assets.exports.pictures.framing import framed, framing_of, out_size


def alpha_with_person(width: int, height: int, left: int, top: int, w: int, h: int) -> np.ndarray:
    alpha = np.zeros((height, width), np.uint8)
    alpha[top : top + h, left : left + w] = 255
    return alpha


def test_the_crop_is_around_the_person() -> None:
    alpha = alpha_with_person(1000, 700, 600, 100, 300, 600)
    found = framing_of(alpha, ExportOptions())
    # The person's middle is at 750, 400; 960 columns and 640 rows are left, and they end at the picture's edge.
    assert (found.left, found.top, found.width, found.height, found.out) == (40, 60, 960, 640, (960, 640))
    assert framing_of(np.zeros((700, 1000), np.uint8), ExportOptions()).left == 20


def test_what_fits_stays_whole() -> None:
    assert framing_of(np.zeros((1024, 768), np.uint8), ExportOptions()).is_whole
    assert framing_of(np.zeros((501, 333), np.uint8), ExportOptions(resolution="source")).is_whole
    assert not framing_of(np.zeros((501, 333), np.uint8), ExportOptions()).is_whole


@given(
    st.integers(64, 700),
    st.integers(64, 700),
    st.sampled_from(["crop", "source", 128, 512]),
    st.sampled_from([1, 8, 64]),
)
def test_sizes(width: int, height: int, resolution: int | str, multiple: int) -> None:
    options = ExportOptions(resolution=resolution, multiple_of=multiple)
    try:
        out = out_size((width, height), options)
    except UserError:
        assert min(width, height) * (1 if resolution == "crop" else 128 / max(width, height)) < multiple + 1
        return
    alpha = alpha_with_person(width, height, width // 3, height // 4, width // 3, height // 2)
    framing = framing_of(alpha, options)
    assert framing.out == out
    assert 0 <= framing.left <= framing.left + framing.width <= width
    assert 0 <= framing.top <= framing.top + framing.height <= height
    image = framed(np.dstack([alpha] * 3), framing)
    assert image.shape == (out[1], out[0], 3)
    if resolution != "source":
        assert all(side % multiple == 0 for side in out)
    if isinstance(resolution, int):
        assert max(out) <= max(resolution, max(width, height) if max(width, height) <= resolution else 0)


def test_a_reduced_picture_keeps_its_proportions() -> None:
    yy, xx = np.mgrid[0:800, 0:1200]
    image = np.dstack([xx * 255 / 1200, yy * 255 / 800, np.zeros_like(xx)]).astype(np.uint8)
    framing = framing_of(np.full((800, 1200), 255, np.uint8), ExportOptions(resolution=600, multiple_of=64))
    assert framing.out == (576, 384)
    out = framed(image, framing).astype(float)
    # One pixel of the result is two of the photo, in both directions.
    assert np.diff(out[200, :, 0]).mean() == pytest.approx(255 / 600, rel=0.02)
    assert np.diff(out[:, 200, 1]).mean() == pytest.approx(255 / 400, rel=0.02)


def test_too_small() -> None:
    with pytest.raises(UserError, match="100 x 60 pixels are too few for sides that are multiples of 64"):
        framing_of(np.zeros((60, 100), np.uint8), ExportOptions())


def test_only_a_whole_framing_is_whole() -> None:
    assert not Framing((64, 64), 0, 0, 64, 64, (32, 32)).is_whole
