"""The same numbers as NumPy's, to the last bit: pictures are computed by them."""

import numpy as np
import pytest

from relight_assets.stages.quantiles import median, quantile, quantiles

SIZES = (1, 2, 3, 10, 997, 4096)
SHARES = (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1.0)


def numbers(size: int) -> np.ndarray:
    return np.random.default_rng(size).standard_normal(size).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
def test_the_median_is_that_of_numpy(size):
    values = numbers(size)
    before = values.copy()
    assert median(values) == float(np.median(values))
    assert np.array_equal(values, before)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", SHARES)
def test_a_quantile_is_that_of_numpy(size, share):
    values = numbers(size)
    assert quantile(values, share) == float(np.quantile(values, share))


@pytest.mark.parametrize("size", SIZES)
def test_several_quantiles_are_those_of_numpy(size):
    values = numbers(size)
    found = quantiles(values, SHARES)
    assert found.dtype == np.float64
    assert np.array_equal(found, np.quantile(values, SHARES))


def test_planes_count_as_their_numbers():
    plane = numbers(12).reshape(3, 4)
    assert median(plane) == float(np.median(plane))
    assert quantile(plane, 0.3) == float(np.quantile(plane, 0.3))
    assert np.array_equal(quantiles(plane, (0.2, 0.8)), np.quantile(plane, (0.2, 0.8)))
