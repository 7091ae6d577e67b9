"""Errors that a factor does not change."""

import numpy as np
import pytest

from relight_assets.quality.scale_invariant import inconsistency, scale_invariant_error, squared_error

ONE = np.random.default_rng(0).random((8, 9)).astype(np.float32)
OTHER = np.random.default_rng(1).random((8, 9)).astype(np.float32)
ALL = np.ones((8, 9), np.bool_)


def test_a_factor_is_no_error() -> None:
    assert squared_error(ONE.ravel(), 4 * ONE.ravel()) == pytest.approx(0, abs=1e-6)
    assert scale_invariant_error(ONE, 0.2 * OTHER, ALL) == pytest.approx(scale_invariant_error(ONE, OTHER, ALL))


def test_inconsistency_has_no_favourite() -> None:
    assert inconsistency(ONE, OTHER, ALL) == pytest.approx(inconsistency(OTHER, ONE, ALL))
    assert inconsistency(ONE, 2 * ONE, ALL) == pytest.approx(0, abs=1e-6)
