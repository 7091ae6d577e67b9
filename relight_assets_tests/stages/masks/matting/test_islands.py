import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.matting.islands import without_islands_and_holes


@pytest.fixture
def parts():
    """A large part with a small hole and a large one, a second part a quarter of its size, and an island."""
    probability = np.zeros((128, 128), np.float32)
    cv2.circle(probability, (44, 64), 40, 1.0, -1)
    cv2.circle(probability, (44, 44), 1, 0.0, -1)
    cv2.circle(probability, (44, 74), 12, 0.0, -1)
    cv2.circle(probability, (108, 64), 16, 0.9, -1)
    cv2.circle(probability, (120, 10), 3, 1.0, -1)
    return probability


def test_small_parts_go_and_small_holes_are_filled(parts):
    cleaned = without_islands_and_holes(parts, 0.1)
    assert cleaned.dtype == np.float32
    assert (cleaned[10, 120], cleaned[44, 44], cleaned[74, 44]) == (0, 1, 0)
    assert cleaned[64, 108] == pytest.approx(0.9)


def test_the_largest_part_alone(parts):
    cleaned = without_islands_and_holes(parts, 1.0)
    assert (cleaned[64, 108], cleaned[64, 20]) == (0, 1)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_nothing_to_drop(value):
    assert np.array_equal(
        without_islands_and_holes(np.full((9, 7), value, np.float32), 0.1), np.full((9, 7), np.float32(value))
    )
