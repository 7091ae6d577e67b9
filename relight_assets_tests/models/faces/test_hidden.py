"""A face that shows only in the rotated, inverted or stretched photo, on real pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.models.faces.hidden import Change, hidden_face
from relight_assets.models.faces.mesh import FaceMesher
from relight_assets.stages.masks.persons.head import measure_head


@pytest.fixture(scope="module")
def mesher(model_paths: dict[str, Path]) -> FaceMesher:
    """Return one mesher for all tests."""
    return FaceMesher(model_paths["face_detection"], model_paths["face_landmark"])


def test_an_upside_down_photo_is_one_that_is_rotated(mesher: FaceMesher, collins: NDArray[np.uint8]) -> None:
    found = hidden_face(mesher, np.ascontiguousarray(collins[::-1, ::-1]), 12)
    assert found is not None
    assert found.change == Change(180)
    assert found.presence > 12
    assert abs(measure_head(found.points, rotation=180).roll) > 170


def test_a_negative_is_told(mesher: FaceMesher, collins: NDArray[np.uint8]) -> None:
    found = hidden_face(mesher, np.invert(collins), 12)
    assert found is not None
    assert found.change == Change(inverted=True)


@pytest.mark.parametrize(("across", "down"), [(16 / 9, 1), (1, 16 / 9)])
def test_a_squashed_photo_has_the_proportions_of_no_face(
    mesher: FaceMesher, collins: NDArray[np.uint8], across: float, down: float
) -> None:
    squashed = cv2.resize(collins, None, fx=across, fy=down, interpolation=cv2.INTER_AREA).astype(np.uint8)
    faces = [face for face in mesher.faces(squashed) if face.presence > 12]
    if faces:
        proportion = measure_head(faces[0].points).proportion
    else:
        found = hidden_face(mesher, squashed, 12)
        assert found is not None
        proportion = measure_head(found.points, rotation=found.change.rotation, stretch=found.change.stretch).proportion
    assert proportion > 1.25 if across > 1 else proportion < 0.87


def test_things_and_animals_have_none(mesher: FaceMesher, cup: NDArray[np.uint8], cat: NDArray[np.uint8]) -> None:
    assert hidden_face(mesher, cup, 12) is None
    assert hidden_face(mesher, cat, 12) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (64, 64)])
def test_an_empty_picture_of_any_shape_has_none(mesher: FaceMesher, shape: tuple[int, int]) -> None:
    assert hidden_face(mesher, np.zeros((*shape, 3), np.uint8), 12) is None
