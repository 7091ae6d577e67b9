"""Mixes of photo and light are exact in linear light."""

import cv2
import numpy as np
import pytest

from relight_assets.core.color import linear_to_srgb, srgb_to_linear
from relight_assets.stages.degraded.variants.mix import mixed


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
def test_every_level_is_the_nearest_to_the_exact_mix(amount: float) -> None:
    levels = np.arange(256, dtype=np.uint8)
    one, other = np.meshgrid(levels, levels, indexing="ij")
    alpha = np.full_like(one, 77)
    made = mixed(cv2.merge([one, one, one, alpha]), cv2.merge([other, other, other, alpha]), amount)
    exact = (1 - amount) * srgb_to_linear(one / 255) + amount * srgb_to_linear(other / 255)
    assert np.abs(made[..., 0] - linear_to_srgb(exact) * 255).max() <= 0.5 + 1e-9
    assert np.array_equal(made[..., 0], made[..., 2])
    assert np.array_equal(made[..., 3], alpha)


def test_its_ends_are_the_two_pictures() -> None:
    rng = np.random.default_rng(0)
    photo, lit = (rng.integers(0, 256, (9, 7, 4), dtype=np.uint8) for _ in range(2))
    lit[..., 3] = photo[..., 3]
    assert np.array_equal(mixed(photo, lit, 0.0), photo)
    assert np.array_equal(mixed(photo, lit, 1.0), lit)
