"""The pose detector on real pictures."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.models.bodies import BodyDetector


@pytest.fixture(scope="module")
def detector(model_paths: dict[str, Path]) -> BodyDetector:
    """Return one detector for all tests."""
    return BodyDetector(model_paths["pose_detection"])


def test_people_score_higher_than_things(
    detector: BodyDetector,
    collins: NDArray[np.uint8],
    hopper: NDArray[np.uint8],
    cup: NDArray[np.uint8],
    cat: NDArray[np.uint8],
) -> None:
    people = [detector.score(picture) for picture in (collins, hopper)]
    things = [detector.score(picture) for picture in (cup, cat)]
    assert min(people) > max(things)
    assert min(people) > 0.2
    assert all(0 <= score <= 1 for score in people + things)


def test_the_answer_depends_on_the_picture_alone(detector: BodyDetector, collins: NDArray[np.uint8]) -> None:
    first = detector.score(collins)
    detector.score(np.invert(collins))
    assert detector.score(collins) == first


@pytest.mark.parametrize("shape", [(1, 1), (64, 2000), (2000, 64), (223, 225)])
def test_any_shape_is_taken(detector: BodyDetector, shape: tuple[int, int]) -> None:
    assert 0 <= detector.score(np.full((*shape, 3), 128, np.uint8)) <= 1
