"""Order-2 spherical harmonics against the clamped cosine that they approximate."""

import numpy as np
import pytest

from relight_assets.core.spherical_harmonics import irradiance, shading

COSINES = np.linspace(-1, 1, 201, dtype=np.float32)


def test_it_is_the_projection_of_the_clamped_cosine_onto_three_legendre_polynomials() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(400)
    expected = np.zeros(len(COSINES))
    for order in range(3):
        polynomial = np.polynomial.legendre.Legendre.basis(order)
        share = (2 * order + 1) / 2 * float(np.sum(weights * np.maximum(nodes, 0) * polynomial(nodes)))
        expected += share * polynomial(COSINES.astype(np.float64))
    found = irradiance(COSINES)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=1e-4)
    assert np.abs(found - np.maximum(COSINES, 0)).max() < 0.1


def test_damping_takes_off_its_order_alone() -> None:
    assert irradiance(COSINES, (0.0, 0.0)) == pytest.approx(np.full(201, 0.25))
    assert irradiance(COSINES, (1.0, 0.0)) == pytest.approx(0.25 + 0.5 * COSINES)


def test_shading_is_about_1_toward_the_light_and_ambient_behind() -> None:
    found = shading(np.tile(COSINES, (20, 1)), 0.2)
    assert found.dtype == np.float32
    assert found[:, -1] == pytest.approx(1.0, abs=0.05)
    assert found.min() == pytest.approx(0.2, abs=0.05)
