"""What is done with an albedo that a network found."""

import cv2
import numpy as np
import pytest

from relight_assets.core.color import decode, luminance
from relight_assets.stages.albedo import learned
from relight_assets_tests.stages.portraits import portrait


def foreground():
    person = portrait()
    height, width = person.rgb.shape[:2]
    alpha = (cv2.resize(person.probability, (width, height)) * 255).astype(np.uint8)
    rgb = np.where(alpha[..., None] > 0, person.rgb, 0)
    return np.dstack([rgb, alpha])


@pytest.mark.parametrize("scale", [0.02, 1, 30])
def test_the_photo_s_median_brightness_is_put_back(scale):
    person = foreground()
    made = learned.extract(person, lambda rgb, _: np.float32(scale) * rgb**0.9)
    inside = person[..., 3] > 127
    medians = [np.median(luminance(decode(image))[inside]) for image in (made.image, person[..., :3].copy())]
    assert medians[0] == pytest.approx(medians[1], rel=0.02)
    assert made.numbers["method"] == "learned"


def test_the_albedo_is_0_outside_and_bent_below_white():
    person = foreground()
    made = learned.extract(person, lambda rgb, _: rgb * np.float32(1) + (rgb > 0.5) * np.float32(5))
    assert not made.image[person[..., 3] == 0].any()
    assert made.image.max() < 254
    assert made.image.dtype == np.uint8


def test_the_network_is_given_linear_light_and_alpha_of_the_person_s_part():
    person = foreground()
    seen = {}

    def estimate(rgb, alpha):
        seen.update(rgb=rgb, alpha=alpha)
        return rgb

    made = learned.extract(person, estimate)
    rows, columns = np.nonzero(person[..., 3])
    window = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert np.array_equal(seen["rgb"], decode(person[window][..., :3].copy()))
    assert np.allclose(seen["alpha"], person[window][..., 3] / 255)
    assert np.abs(made.image.astype(int) - person[..., :3])[person[..., 3] > 0].max() < 12  # the shoulder alone


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e30])
def test_an_albedo_of_one_value_ends_in_bytes(value):
    made = learned.extract(foreground(), lambda rgb, _: np.full_like(rgb, value))
    assert np.isfinite(made.numbers["gain"])


def test_nobody_and_blackness():
    nobody = np.zeros((40, 30, 4), np.uint8)
    assert not learned.extract(nobody, lambda rgb, _: rgb + 1).image.any()
    nobody[5:20, 5:20, 3] = 255
    assert learned.extract(nobody, lambda rgb, _: rgb).numbers["gain"] == 1
