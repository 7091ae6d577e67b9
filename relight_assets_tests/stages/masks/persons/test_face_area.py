import numpy as np
import pytest

from relight_assets.core.arrays import Points
from relight_assets.stages.masks.persons.face_area import with_faces

PHOTO = (400, 800)
GRID = (100, 100)


def face(left: float, top: float, width: float, height: float) -> Points:
    """A square of points in the photo."""
    corners = [(left, top), (left + width, top), (left, top + height), (left + width, top + height)]
    return np.array(corners, np.float32)


def test_painted_skin_inside_a_face_is_the_person() -> None:
    probability = np.ones(GRID, np.float32)
    probability[40:45, 50:55] = 0.1
    # The photo is wider than the grid: columns of it are 8 pixels, rows 4.
    filled = with_faces(probability, [face(320, 120, 240, 160)], PHOTO)
    assert filled.min() == 1
    assert probability[42, 52] == np.float32(0.1)  # the segmenter's answer is left alone


def test_the_edge_of_a_face_is_the_segmenters() -> None:
    probability = np.ones(GRID, np.float32)
    probability[:, 68:] = 0.3  # beyond the far cheek
    filled = with_faces(probability, [face(320, 120, 240, 160)], PHOTO)
    assert (filled[50, 40:67] == 1).all()
    assert filled[50, 69] == np.float32(0.3)
    assert filled[5, 80] == np.float32(0.3)


@pytest.mark.parametrize("value", [0.0, 0.01, 0.3])
def test_a_face_on_a_poster_and_sure_background_stay(value: float) -> None:
    probability = np.full(GRID, value, np.float32)
    assert with_faces(probability, [face(320, 120, 240, 160)], PHOTO) is probability
    probability = np.ones(GRID, np.float32)
    probability[45:50] = value
    filled = with_faces(probability, [face(320, 120, 240, 160)], PHOTO)
    assert filled[47, 55] == (1 if value > 0.02 else np.float32(value))


@pytest.mark.parametrize("value", [0.0, 0.01])
def test_a_spot_of_sure_background_inside_a_face_is_paint(value: float) -> None:
    probability = np.ones(GRID, np.float32)
    probability[45:50, 50:56] = value
    assert with_faces(probability, [face(320, 120, 240, 160)], PHOTO).min() == 1


def test_without_faces_or_doubt_nothing_is_copied() -> None:
    probability = np.ones(GRID, np.float32)
    assert with_faces(probability, [], PHOTO) is probability
    assert with_faces(probability, [face(320, 120, 240, 160)], PHOTO) is probability
    assert with_faces(probability, [face(-900, 120, 100, 160)], PHOTO) is probability  # beyond the photo
    assert with_faces(probability, [face(320, 120, 4, 4)], PHOTO) is probability  # smaller than a cell
