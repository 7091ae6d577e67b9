"""Dark levels that are multiplied leave no comb, and what is not multiplied stays as it is."""

import numpy as np
import pytest

from relight_assets.core.color import decode_planes, encode
from relight_assets.core.dither import dither
from relight_assets.core.rng import stream
from relight_assets.stages.image_metrics import comb

LEVELS = np.random.default_rng(7).integers(0, 256, (256, 256, 3)).astype(np.uint8)
DARK = np.minimum(np.random.default_rng(8).exponential(6, (256, 256, 3)) + 1, 255).astype(np.uint8)
EVERYWHERE = np.ones((256, 256), bool)


def dithered(image, gain=1.0, key="a"):
    planes = decode_planes(image)
    dither(planes, stream(0, key, 0, "test/dither"))
    return np.dstack([encode(plane * np.float32(gain)) for plane in planes])


def test_what_is_not_multiplied_is_not_changed():
    assert np.array_equal(dithered(LEVELS), LEVELS)


@pytest.mark.parametrize("gain", [1.5, 2.3])
def test_a_multiplied_dark_image_has_no_comb(gain):
    planes = decode_planes(DARK)
    plain = np.dstack([encode(plane * np.float32(gain)) for plane in planes])
    assert comb(plain, EVERYWHERE) > 0.25
    assert comb(dithered(DARK, gain), EVERYWHERE) < comb(DARK, EVERYWHERE) + 0.03


def test_an_image_multiplied_by_much_has_half_of_its_comb_at_most():
    # Above the eleventh code a step is wider than the noise.
    plain = np.dstack([encode(plane * np.float32(4)) for plane in decode_planes(DARK)])
    assert comb(dithered(DARK, 4.0), EVERYWHERE) < comb(plain, EVERYWHERE) / 2


def test_the_mean_stays():
    gray = np.full((256, 256, 3), 4, np.uint8)
    assert dithered(gray, 2.0).mean() == pytest.approx(8, abs=0.02)


def test_channels_share_their_noise_so_gray_stays_gray():
    gray = np.repeat(DARK[..., :1], 3, axis=2)
    made = dithered(gray, 3.0)
    assert np.array_equal(made[..., 0], made[..., 1])
    assert np.array_equal(made[..., 0], made[..., 2])


def test_the_noise_is_that_of_the_stream():
    assert np.array_equal(dithered(DARK, 2.0), dithered(DARK, 2.0))
    assert not np.array_equal(dithered(DARK, 2.0), dithered(DARK, 2.0, key="b"))


def test_odd_sizes():
    planes = [np.zeros((3, 5), np.float32)]
    dither(planes, stream(0, "a", 0, "test/dither"))
    assert np.abs(planes[0]).max() < 0.5 / 255 / 12.92
    assert len(np.unique(planes[0])) > 10
