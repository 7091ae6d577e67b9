"""Colour retinex: paint stays, light goes, and the mask's edge is free."""

import numpy as np

from benchmarks.science.color_retinex import color_retinex
from relight_assets.quality.scale_invariant import scale_invariant_error


def test_two_paints_under_a_ramp_of_light() -> None:
    y, x = np.mgrid[0:40, 0:50].astype(np.float32)
    albedo = np.where((x > 25)[..., None], np.float32([0.6, 0.3, 0.2]), np.float32([0.1, 0.2, 0.5])).astype(np.float32)
    shading = (0.3 + 0.01 * x + 0.004 * y).astype(np.float32)
    mask = (x - 25) ** 2 + (y - 20) ** 2 < 18**2
    found = color_retinex(albedo * shading[..., None], mask)
    assert found.shape == albedo.shape
    assert not found[~mask].any()
    before = scale_invariant_error(albedo.mean(axis=2), (albedo * shading[..., None]).mean(axis=2), mask)
    assert scale_invariant_error(albedo.mean(axis=2), found.mean(axis=2), mask) < 0.05 * before
