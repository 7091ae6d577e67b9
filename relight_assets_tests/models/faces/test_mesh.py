"""The face mesh on real images: it lies on the face, and follows it when the image is moved."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.errors import ModelFileError
from relight_assets.models.faces.mesh import TRIANGLES, FaceMesh, FaceMesher
from relight_assets_tests.models.faces.derive_triangles import derive

NOSE_TIP, CHIN, FOREHEAD = 4, 152, 10
OUTER_EYE = {"left of the image": 33, "right of the image": 263}
# Points that change places when the image is mirrored, and points on the middle line that stay.
PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (172, 397), (50, 280), (105, 334))
MIDDLE = (10, 168, 4, 13, 17, 152)


@pytest.fixture(scope="module")
def mesher(model_paths: dict[str, Path]) -> FaceMesher:
    """Return one mesher for all tests."""
    return FaceMesher(model_paths["face_detection"], model_paths["face_landmark"])


def only(faces: list[FaceMesh]) -> FaceMesh:
    """Return the one face there should be."""
    assert len(faces) == 1
    return faces[0]


def eye_distance(points: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(points[33, :2] - points[263, :2]))


def moved(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def miss(mesh: FaceMesh, expected: NDArray[np.floating[Any]]) -> float:
    """Mean distance of the points from where they should be on screen, in distances between the eyes."""
    return float(np.linalg.norm(mesh.points[:, :2] - expected, axis=1).mean()) / eye_distance(mesh.points)


def test_one_face_is_found_where_it_is(mesher: FaceMesher, collins: NDArray[np.uint8]) -> None:
    face = only(mesher.faces(collins))
    assert face.points.shape == (468, 3)
    assert face.points.dtype == np.float32
    assert face.presence > 10
    assert np.allclose(face.box, (225, 123, 94, 107), atol=4)  # measured by hand on the photo
    assert np.allclose(face.points[NOSE_TIP, :2], (224, 123), atol=6)


def test_x_goes_right_y_goes_down_and_a_smaller_z_is_nearer(mesher: FaceMesher, hopper: NDArray[np.uint8]) -> None:
    points = only(mesher.faces(hopper)).points
    assert points[33, 0] < points[NOSE_TIP, 0] < points[263, 0]
    assert points[FOREHEAD, 1] < points[NOSE_TIP, 1] < points[CHIN, 1]
    assert points[NOSE_TIP, 2] < points[33, 2] < points[234, 2]  # nose, eye, cheek beside the ear
    depth = float(np.ptp(points[:, 2]) / np.ptp(points[:, 0]))
    assert 0.4 < depth < 1.2  # z is on the scale of x and y


def test_a_mirrored_image_gives_the_mirrored_mesh(mesher: FaceMesher, hopper: NDArray[np.uint8]) -> None:
    straight = only(mesher.faces(hopper)).points
    mirrored = only(mesher.faces(hopper[:, ::-1])).points.copy()
    mirrored[:, 0] = hopper.shape[1] - 1 - mirrored[:, 0]
    here = [*MIDDLE, *(left for left, _ in PAIRS), *(right for _, right in PAIRS)]
    there = [*MIDDLE, *(right for _, right in PAIRS), *(left for left, _ in PAIRS)]
    distances = np.linalg.norm(straight[here, :2] - mirrored[there, :2], axis=1)
    assert distances.max() < 0.08 * eye_distance(straight)
    assert distances.mean() < 0.03 * eye_distance(straight)


@pytest.mark.parametrize("degrees", [-40, -20, 20, 40])
def test_the_mesh_follows_a_turned_image(mesher: FaceMesher, hopper: NDArray[np.uint8], degrees: float) -> None:
    height, width = hopper.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 0.8).astype(np.float64)
    straight = only(mesher.faces(hopper)).points
    turned = only(mesher.faces(moved(hopper, matrix)))
    assert miss(turned, straight[:, :2] @ matrix[:, :2].T + matrix[:, 2]) < 0.03


@pytest.mark.parametrize(("dx", "dy"), [(40, 0), (-60, 30), (0.5, 0.5)])
def test_the_mesh_follows_a_shifted_image(mesher: FaceMesher, hopper: NDArray[np.uint8], dx: float, dy: float) -> None:
    straight = only(mesher.faces(hopper)).points
    shifted = only(mesher.faces(moved(hopper, np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]]))))
    assert miss(shifted, straight[:, :2] + (dx, dy)) < 0.02


@pytest.mark.parametrize("size", [96, 250, 1100, 2048])
def test_the_mesh_scales_with_the_image(mesher: FaceMesher, hopper: NDArray[np.uint8], size: int) -> None:
    face = only(mesher.faces(hopper)).points
    scale = size / hopper.shape[1]
    resized = cv2.resize(hopper, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
    scaled = only(mesher.faces(resized.astype(np.uint8)))
    assert miss(scaled, (face[:, :2] + 0.5) * scale - 0.5) < 0.04
    assert np.ptp(scaled.points[:, 2]) == pytest.approx(scale * np.ptp(face[:, 2]), rel=0.15)


def test_small_faces_are_found_in_a_large_image_largest_first(
    mesher: FaceMesher, collins: NDArray[np.uint8], hopper: NDArray[np.uint8]
) -> None:
    canvas = np.full((1000, 1600, 3), 128, dtype=np.uint8)
    canvas[600:900, 1200:1456] = cv2.resize(hopper, (256, 300), interpolation=cv2.INTER_AREA)
    canvas[100:612, 100:612] = collins
    faces = mesher.faces(canvas)
    assert len(faces) == 2
    areas = [float(np.prod(face.box[2:])) for face in faces]
    assert areas == sorted(areas, reverse=True)
    centres = sorted(tuple(face.box[:2].round(-1)) for face in faces)
    assert np.allclose(centres, [(330, 220), (1330, 720)], atol=15)


def test_a_face_that_overfills_the_frame_is_found(mesher: FaceMesher, hopper: NDArray[np.uint8]) -> None:
    whole = only(mesher.faces(hopper)).points[:, :2]
    close = only(mesher.faces(hopper[160:320, 185:345]))
    assert miss(close, whole - (185.0, 160.0)) < 0.1


def test_cup_and_cat_have_no_face(mesher: FaceMesher, cup: NDArray[np.uint8], cat: NDArray[np.uint8]) -> None:
    assert mesher.faces(cup) == []
    assert mesher.faces(cat) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (3000, 2), (64, 64)])
def test_an_empty_image_of_any_shape_has_no_face(mesher: FaceMesher, shape: tuple[int, int]) -> None:
    assert mesher.faces(np.zeros((*shape, 3), dtype=np.uint8)) == []


def test_the_same_image_gives_the_same_numbers(
    mesher: FaceMesher, model_paths: dict[str, Path], collins: NDArray[np.uint8], hopper: NDArray[np.uint8]
) -> None:
    first = only(mesher.faces(collins)).points
    mesher.faces(hopper)
    fresh = FaceMesher(model_paths["face_detection"], model_paths["face_landmark"])
    assert np.array_equal(only(mesher.faces(collins)).points, first)
    assert np.array_equal(only(fresh.faces(collins)).points, first)


def test_the_triangles_cover_the_face_once_without_holes() -> None:
    assert TRIANGLES.shape == (898, 3)
    assert TRIANGLES.dtype == np.int32
    assert set(TRIANGLES.ravel()) == set(range(468))
    directed = [tuple(row[[i, (i + 1) % 3]]) for row in TRIANGLES for i in range(3)]
    assert len(set(directed)) == len(directed)  # each edge once in each direction: turned the same way
    rim = [edge for edge in directed if edge[::-1] not in set(directed)]
    assert len(rim) == 36  # the outline of the face, and nothing else
    edges = {tuple(sorted(edge)) for edge in directed}
    assert 468 - len(edges) + 898 == 1  # Euler: one disc


def test_the_triangles_face_the_camera(mesher: FaceMesher, hopper: NDArray[np.uint8]) -> None:
    a, b, c = (only(mesher.faces(hopper)).points[TRIANGLES[:, corner]] for corner in range(3))
    assert (np.cross(b - a, c - a)[:, 2] < 0).mean() > 0.93


def test_the_table_of_triangles_is_the_one_that_is_derived(real_wheel: Path) -> None:
    assert np.array_equal(derive(real_wheel), TRIANGLES)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face.tflite").write_bytes(b"nothing of use" * 100)
    with pytest.raises(ModelFileError, match="relight models fetch"):
        FaceMesher(tmp_path / "face.tflite", tmp_path / "face.tflite")
