"""Mattes on heads whose alpha is known."""

import numpy as np
import pytest

from benchmarks.science.hair import heads
from benchmarks.science.mattes import MatteFigures, band, measure_mattes
from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.stages.masks.matting.cut_out import cut_out


@pytest.fixture(scope="module")
def found() -> dict[str, MatteFigures]:
    return {each.method: each for each in measure_mattes()}


def test_the_masks_stage_halves_the_error_of_a_stretched_answer(found: dict[str, MatteFigures]) -> None:
    assert list(found) == ["enlarged", "stretched", "masks"]
    assert found["stretched"].matte_band < found["enlarged"].matte_band
    assert found["masks"].matte_band < 0.6 * found["stretched"].matte_band
    assert found["masks"].matte_mad < 0.6 * found["stretched"].matte_mad


def test_only_dark_hair_before_a_dark_room_is_left_out() -> None:
    undecided = [cut_out(head.probability, head.rgb).undecided for head in heads()]
    assert [share > PhotoQa().max_undecided for share in undecided] == [False, False, True, False]


def test_the_band_is_twenty_pixels_of_1024() -> None:
    alpha = np.zeros((1024, 1024), np.float32)
    alpha[:, 512:] = 1
    assert np.flatnonzero(band(alpha)[500]).tolist() == list(range(511 - 20, 512 + 21))
