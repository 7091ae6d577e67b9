"""Mattes on heads whose alpha is known."""

import numpy as np
import pytest

from benchmarks.science.mattes import MatteFigures, band, measure_mattes


@pytest.fixture(scope="module")
def found() -> dict[str, MatteFigures]:
    return {each.method: each for each in measure_mattes()}


def test_the_masks_stage_halves_the_error_of_a_stretched_answer(found: dict[str, MatteFigures]) -> None:
    assert list(found) == ["enlarged", "stretched", "masks"]
    assert found["stretched"].matte_band < found["enlarged"].matte_band
    assert found["masks"].matte_band < 0.6 * found["stretched"].matte_band
    assert found["masks"].matte_mad < 0.6 * found["stretched"].matte_mad


def test_the_band_is_twenty_pixels_of_1024() -> None:
    alpha = np.zeros((1024, 1024), np.float32)
    alpha[:, 512:] = 1
    assert np.flatnonzero(band(alpha)[500]).tolist() == list(range(511 - 20, 512 + 21))
