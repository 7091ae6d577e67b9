"""Two made-up persons in one mask: each cell goes to its own."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane, Rgb8
from relight_assets.stages.masks.persons.touching import others_removed

COATS = ((170, 40, 40), (30, 60, 150))


def person(x: int, size: int, shape: tuple[int, int]) -> tuple[Mask, NDArray[np.float32]]:
    """Head and shoulders, and the corners of the face."""
    drawn = np.zeros(shape, np.uint8)
    y = shape[0] - 3 * size
    cv2.ellipse(drawn, (x, y), (size * 3 // 4, size), 0, 0, 360, 1, -1)
    cv2.ellipse(drawn, (x, y + 3 * size), (size * 9 // 5, size * 21 // 10), 0, 0, 360, 1, -1)
    half = (size // 2, size * 3 // 4)
    corners = [(x - half[0], y - half[1], 0), (x + half[0], y + half[1], 0), (x, y, 0)]
    return drawn > 0, np.array(corners, np.float32)


def pair(apart: int, shape: tuple[int, int] = (300, 400)) -> tuple[Rgb8, Plane, list[Mask], list[NDArray[np.float32]]]:
    """A larger person before a smaller one: photo, probability, both visible masks, both faces."""
    front, first = person(150, 60, shape)
    back, second = person(150 + apart, 50, shape)
    back &= ~front
    rgb = np.full((*shape, 3), 210, np.uint8)
    rgb[front], rgb[back] = COATS
    rng = np.random.default_rng(2)
    rgb = np.clip(rgb + rng.normal(0, 8, rgb.shape), 0, 255).astype(np.uint8)
    probability = cv2.resize((front | back).astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA)
    return rgb, probability, [front, back], [first, second]


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("apart", [125, 150])
def test_the_person_with_the_largest_face_keeps_its_cells_and_no_others(apart: int) -> None:
    rgb, probability, (front, _), faces = pair(apart)
    for order in (faces, faces[::-1]):
        kept = others_removed(probability, rgb, order)
        assert kept is not None
        assert set(np.unique(kept[kept != probability])) <= {0}
        assert overlap(cv2.resize(kept, rgb.shape[1::-1]) > 0.5, front) > 0.9


def test_where_nobody_touches_nothing_is_done() -> None:
    rgb, probability, _, faces = pair(150)
    assert others_removed(probability, rgb, []) is None
    assert others_removed(probability, rgb, faces[:1]) is None
    assert others_removed(np.zeros_like(probability), rgb, faces) is None
    parted = probability.copy()
    parted[:, 70:75] = 0
    assert others_removed(parted, rgb, faces) is None
    tiny = faces[1].mean(axis=0) + (faces[1] - faces[1].mean(axis=0)) / 4
    assert others_removed(probability, rgb, [faces[0], tiny]) is None


def test_a_face_outside_of_the_picture_is_no_one_s() -> None:
    rgb, probability, _, faces = pair(150)
    assert others_removed(probability, rgb, [faces[0], faces[1] + 5000]) is None
