"""Irises and lids on real photos: they lie on the eyes, and follow them when the photo is moved."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.errors import ModelFileError
from relight_assets.models.faces.eyes import CORNERS, IRIS_OF_EYE, MIN_IRIS, Eye, EyeFinder
from relight_assets.models.faces.mesh import FaceMesher

Rgb = NDArray[np.uint8]


@pytest.fixture(scope="module")
def finder(model_paths: dict[str, Path]) -> EyeFinder:
    """Return one finder for all tests."""
    return EyeFinder(model_paths["iris_landmark"])


@pytest.fixture(scope="module")
def face(model_paths: dict[str, Path], collins: Rgb) -> tuple[Rgb, NDArray[np.float32]]:
    """Return a portrait of twice the size, and its mesh."""
    large = cv2.resize(collins, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    (mesh,) = FaceMesher(model_paths["face_detection"], model_paths["face_landmark"]).faces(large)
    return large, mesh.points


def radius(eye: Eye) -> float:
    return float(np.linalg.norm(eye.iris[1:] - eye.iris[0], axis=1).mean())


def test_irises_are_dark_and_lie_between_the_lids(finder: EyeFinder, face: tuple[Rgb, NDArray[np.float32]]) -> None:
    image, points = face
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    left, right = finder.eyes(image, points)
    assert left.iris[0, 0] < right.iris[0, 0]
    for eye, corners in zip((left, right), CORNERS, strict=True):
        width = float(np.linalg.norm(np.subtract(*points[list(corners), :2])))
        assert 0.3 < 2 * radius(eye) / width < 1.1 * IRIS_OF_EYE
        x, y = np.rint(eye.iris[0]).astype(int)
        assert cv2.pointPolygonTest(eye.lids, (float(x), float(y)), measureDist=False) > 0
        around = gray[y - 25 : y + 26, x - 25 : x + 26]
        assert gray[y - 3 : y + 4, x - 3 : x + 4].mean() < 0.7 * around.mean()


def test_a_mirrored_photo_gives_the_mirrored_eyes(finder: EyeFinder, face: tuple[Rgb, NDArray[np.float32]]) -> None:
    image, points = face
    swapped = points.copy()
    for one, other in ((33, 263), (133, 362)):
        swapped[[one, other]] = points[[other, one]]
    swapped[:, 0] = image.shape[1] - 1 - swapped[:, 0]
    mirrored = finder.eyes(np.ascontiguousarray(image[:, ::-1]), swapped)
    for eye, other in zip(finder.eyes(image, points), mirrored[::-1], strict=True):
        expected = np.array([image.shape[1] - 1, 0]) - other.iris[0] * [1, -1]
        assert np.linalg.norm(eye.iris[0] - expected) < 0.05 * radius(eye)


@pytest.mark.parametrize("degrees", [-30, 20])
def test_eyes_follow_a_turned_photo(finder: EyeFinder, face: tuple[Rgb, NDArray[np.float32]], degrees: float) -> None:
    image, points = face
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    for eye, other in zip(finder.eyes(image, points), finder.eyes(turned, moved.astype(np.float32)), strict=True):
        expected = eye.iris[0] @ matrix[:, :2].T + matrix[:, 2]
        assert np.linalg.norm(other.iris[0] - expected) < 0.15 * radius(eye)


def test_eyes_whose_iris_is_small_are_left_out(finder: EyeFinder, face: tuple[Rgb, NDArray[np.float32]]) -> None:
    image, points = face
    widths = [float(np.linalg.norm(np.subtract(*points[list(corners), :2]))) for corners in CORNERS]
    for scale, count in ((1.05, 2), (0.95, 0)):
        factor = scale * MIN_IRIS / IRIS_OF_EYE / (min(widths) if count else max(widths))
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8)
        assert len(finder.eyes(small, points * np.float32(factor))) == count


def test_a_damaged_file_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "iris.tflite"
    file.write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="LiteRT cannot load"):
        EyeFinder(file)
