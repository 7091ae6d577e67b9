"""The shape of faces: a mesh of 468 points in three dimensions per face.

MediaPipe Face Mesh (model card "MediaPipe Face Mesh", Apache-2.0): Kartynnik et al., "Real-time
Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019.  A face found by
:mod:`relight_assets.models.faces.detection` is cut out as a level square and put through the
network twice: the second time the square is laid around the mesh of the first, as the authors do
from one video frame to the next.

The triangles in ``face_triangles.txt`` come from ``mediapipe/python/solutions/
face_mesh_connections.py`` of mediapipe 0.10.21: every three points of ``FACEMESH_TESSELATION``
that are joined pairwise (854), less two that lie behind three others (the edges of 49-64-129 and
279-294-358 would have three sides), plus 46 that close the mouth and both eyes by a ladder from the
upper to the lower lip or lid.  That makes 898, as in the authors' canonical model.  The test of
this module derives the table again.
"""

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets.models.faces.crops import Crop, level_square, rotation
from relight_assets.models.faces.detection import FaceDetector, SearchAreas, overlap, search_areas
from relight_assets.models.runtimes.litert import Network

SIDE = 192
MARGIN = 1.5
MAX_FACES = 8
MAX_OVERLAP = 0.5
OUTER_EYE_CORNERS = (33, 263)
"""The points that say how far the head is tilted: on the image's left, then on its right."""

TRIANGLES: NDArray[np.int32]
"""(898, 3) int32 point numbers, read at first use.

Counter-clockwise on screen where the skin faces the camera, so the normal (b - a) x (c - a) has a
negative z there.
"""


def __getattr__(name: str) -> Any:
    if name == "TRIANGLES":
        return _triangles()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _triangles() -> NDArray[np.int32]:
    text = resources.files(__package__).joinpath("face_triangles.txt").read_text(encoding="ascii")
    table = np.array(text.split(), dtype=np.int32).reshape(-1, 3)
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class FaceMesh:
    """The surface of one face, in the pixels of the whole image."""

    points: NDArray[np.float32]
    """(468, 3) float32: x right, y down, z on the same scale, smaller is nearer the camera.  Pixel
    centres have whole coordinates.  Points may lie outside the image."""
    presence: float
    """The network's belief that this is a face, a logit: above 0 for all meshes that are returned."""

    @property
    def box(self) -> NDArray[np.float64]:
        """(4,) centre x, centre y, width, height of the points."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        return np.concatenate([(low + high) / 2, high - low]).astype(np.float64)


class FaceMesher:
    """Finds the faces of a photo and their surface."""

    def __init__(self, detection_path: Path, landmark_path: Path) -> None:
        """Load ``face_detection_short_range.tflite`` and ``face_landmark.tflite``."""
        self._detector = FaceDetector(detection_path)
        self._network = Network(landmark_path)

    def faces(self, rgb: NDArray[np.uint8], areas: SearchAreas = search_areas) -> list[FaceMesh]:
        """Return the faces of an (H, W, 3) uint8 image, largest first, at most eight.

        Deterministic.  10 to 25 ms of one core for one face, by the size of the image; about
        50 ms and an empty list where there is none.  Heads turned by up to 60 degrees in the plane
        of the image are found, upside-down ones are not
        (:mod:`relight_assets.models.faces.hidden` finds those).
        """
        found: list[FaceMesh] = []
        for detection in self._detector.detect(rgb, areas)[: 2 * MAX_FACES]:
            first = self._mesh(rgb, Crop(detection.box[:2], MARGIN * float(detection.box[2:].max()), detection.roll))
            if first.presence <= 0:
                continue
            second = self._mesh(rgb, _crop_around(first))
            mesh = second if second.presence > 0 else first
            if all(overlap(mesh.box, other.box) < MAX_OVERLAP for other in found):
                found.append(mesh)
        found.sort(key=lambda mesh: -float(np.prod(mesh.box[2:])))
        return found[:MAX_FACES]

    def _mesh(self, rgb: NDArray[np.uint8], crop: Crop) -> FaceMesh:
        presence, points = sorted(self._network(level_square(rgb, crop, SIDE)), key=lambda output: output.size)
        local = points.reshape(-1, 3).astype(np.float64)
        whole = np.column_stack([crop.of_image(local[:, :2], SIDE), local[:, 2] * (crop.side / SIDE)])
        return FaceMesh(points=whole.astype(np.float32), presence=float(presence[0]))


def _crop_around(mesh: FaceMesh) -> Crop:
    flat = mesh.points[:, :2].astype(np.float64)
    dx, dy = flat[OUTER_EYE_CORNERS[1]] - flat[OUTER_EYE_CORNERS[0]]
    roll = float(np.arctan2(dy, dx))
    level = flat @ rotation(roll)
    low, high = level.min(axis=0), level.max(axis=0)
    return Crop(rotation(roll) @ ((low + high) / 2), MARGIN * float((high - low).max()), roll)
