"""The embedded segmenter on real images."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.models.segmenters.selfie import SelfieSegmenter, squeezed


@pytest.fixture(scope="module")
def segmenter(model_paths: dict[str, Path]) -> SelfieSegmenter:
    """Return one segmenter for all tests."""
    return SelfieSegmenter(model_paths["selfie_segmentation"])


def score(probability: NDArray[np.float32]) -> float:
    """Return the mean inside the mask, which tells a person from things."""
    return float(probability[probability > 0.5].mean())


def test_the_answer_is_a_probability_for_each_of_256_by_256_cells(
    segmenter: SelfieSegmenter, hopper: NDArray[np.uint8]
) -> None:
    answer = segmenter.probability(hopper)
    assert answer.shape == (256, 256)
    assert answer.dtype == np.float32
    assert 0.0 <= answer.min() < 0.01
    assert 0.99 < answer.max() <= 1.0


def test_the_person_is_found_and_the_background_is_not(segmenter: SelfieSegmenter, hopper: NDArray[np.uint8]) -> None:
    answer = segmenter.probability(hopper)
    assert answer[80:140, 110:150].min() > 0.95  # the face
    assert answer[:60, 200:].max() < 0.05  # the sky
    assert 0.5 < (answer > 0.5).mean() < 0.65


def test_people_score_higher_than_things(
    segmenter: SelfieSegmenter,
    collins: NDArray[np.uint8],
    hopper: NDArray[np.uint8],
    cup: NDArray[np.uint8],
    cat: NDArray[np.uint8],
) -> None:
    people = [score(segmenter.probability(image)) for image in (collins, hopper)]
    things = [score(segmenter.probability(image)) for image in (cup, cat)]
    assert min(people) > 0.96
    assert max(things) < 0.95


def test_a_mirrored_image_gives_exactly_the_mirrored_answer(
    segmenter: SelfieSegmenter, collins: NDArray[np.uint8]
) -> None:
    answer = segmenter.probability(collins)
    assert np.array_equal(segmenter.probability(collins[:, ::-1]), answer[:, ::-1])


def test_the_answer_depends_on_the_image_alone(
    segmenter: SelfieSegmenter, collins: NDArray[np.uint8], cup: NDArray[np.uint8]
) -> None:
    first, other, again = (segmenter.probability(image) for image in (collins, cup, collins))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(first, segmenter.probability(collins))


@pytest.mark.parametrize("shape", [(64, 64), (64, 2000), (2000, 64), (255, 257)])
def test_any_shape_is_taken(segmenter: SelfieSegmenter, shape: tuple[int, int]) -> None:
    answer = segmenter.probability(np.full((*shape, 3), 128, dtype=np.uint8))
    assert answer.shape == (256, 256)
    assert np.isfinite(answer).all()


def test_several_images_are_answered_one_by_one(
    segmenter: SelfieSegmenter, collins: NDArray[np.uint8], cup: NDArray[np.uint8]
) -> None:
    together = [mask.probability for mask in segmenter.masks([collins, cup])]
    assert len(together) == 2
    assert np.array_equal(together[0], segmenter.probability(collins))
    assert np.array_equal(together[1], segmenter.probability(cup))
    assert segmenter.masks([]) == []


def test_shrinking_in_two_steps_is_nearly_the_mean_over_each_cell(collins: NDArray[np.uint8]) -> None:
    large = cv2.resize(collins, (2048, 1024), interpolation=cv2.INTER_CUBIC)
    exact = large.astype(np.float64).reshape(256, 4, 256, 8, 3).mean(axis=(1, 3))
    # One rounding, at four times the cells: at most half a level, where rounding at the end gives that to half of all.
    assert np.abs(squeezed(large) - exact).max() <= 0.5
    assert np.abs(squeezed(large) - exact).mean() < 0.2
