"""The errors: 0 for the truth at any scale, and what they are worth elsewhere."""

import numpy as np
import pytest

from benchmarks.science.scores import (
    chroma_error,
    grosse_score,
    local_error,
    slopes,
)
from relight_assets.quality.scale_invariant import inconsistency, scale_invariant_error

RNG = np.random.default_rng(0)
TRUE = RNG.uniform(0.1, 1, (60, 50)).astype(np.float32)
SHADE = np.linspace(0.2, 1, 50, dtype=np.float32) * np.ones((60, 1), np.float32)
ALL = np.ones((60, 50), bool)


def test_the_truth_at_another_scale_has_no_error() -> None:
    assert local_error(TRUE, 3 * TRUE, ALL) == pytest.approx(0, abs=1e-9)
    assert scale_invariant_error(TRUE, 3 * TRUE, ALL) == pytest.approx(0, abs=1e-9)
    assert grosse_score(TRUE, SHADE, 0.5 * TRUE, TRUE * SHADE, ALL) == pytest.approx(0, abs=1e-9)


def test_nothing_is_as_bad_as_one() -> None:
    assert local_error(TRUE, np.zeros_like(TRUE), ALL) == pytest.approx(1)
    assert scale_invariant_error(TRUE, np.zeros_like(TRUE), ALL) == pytest.approx(1)


def test_a_slow_error_counts_less_in_windows_than_at_large() -> None:
    assert local_error(TRUE, TRUE * SHADE, ALL) < 0.3 * scale_invariant_error(TRUE, TRUE * SHADE, ALL)


def test_what_is_outside_the_mask_does_not_count() -> None:
    inside = ALL.copy()
    inside[:, 25:] = False
    wrong = TRUE.copy()
    wrong[:, 25:] = 9
    assert local_error(TRUE, wrong, inside) == pytest.approx(0, abs=1e-9)
    assert scale_invariant_error(TRUE, wrong, inside) == pytest.approx(0, abs=1e-9)


def test_slopes_tell_what_is_left() -> None:
    found = slopes(TRUE * SHADE, TRUE, SHADE, ALL)
    assert (found.shading, found.albedo) == pytest.approx((1, 1), abs=0.03)
    found = slopes(TRUE**0.5, TRUE, SHADE, ALL)
    assert (found.shading, found.albedo) == pytest.approx((0, 0.5), abs=0.03)


def test_two_estimates_are_as_far_apart_from_either_side() -> None:
    other = TRUE * SHADE
    assert inconsistency(TRUE, other, ALL) == pytest.approx(inconsistency(5 * other, TRUE, ALL), rel=1e-5)
    assert inconsistency(TRUE, 2 * TRUE, ALL) == pytest.approx(0, abs=1e-9)


def test_chroma_is_an_angle_and_minds_no_brightness() -> None:
    red = np.zeros((4, 4, 3), np.float32)
    red[..., 0] = 1
    both = red.copy()
    both[..., 1] = 1
    inside = np.ones((4, 4), bool)
    assert chroma_error(red, 0.2 * red, inside) == pytest.approx(0, abs=1e-3)
    assert chroma_error(red, both, inside) == pytest.approx(45)
    assert chroma_error(red, 0 * red, inside) == 0  # black has no colour
