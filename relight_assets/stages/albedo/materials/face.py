"""Where a face is: its hull, its features, and how far everything else is from it."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Plane
from relight_assets.stages.albedo.materials.filters import blurred, disc

EYES = (
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
FEATURES = (*EYES, *BROWS, LIPS)
"""Rings of mesh points around what is in a face and is not bare skin."""
TOP, CHIN = 10, 152
"""Mesh points at both ends of a face's axis."""
FEATURE_MARGIN = 0.025
"""By how much features are widened, in units of the face's height: lashes, stubs of brows, the rims of lips."""


@dataclass(frozen=True)  # planes are computed once, when asked for
class Face:
    """One face of a person of (h, w) pixels."""

    points: NDArray[np.float32]
    """(N, 2) mesh points, pixels."""
    shape: tuple[int, int]

    @cached_property
    def height(self) -> float:
        """Of the mesh, pixels; the unit of all distances in a face."""
        return max(float(np.ptp(self.points[:, 1])), 1.0)

    @cached_property
    def hull(self) -> Gray8:
        """1 inside, 0 outside."""
        return _filled(self.points, self.shape)

    @cached_property
    def features(self) -> Gray8:
        """1 at eyes, brows and lips, 0 elsewhere."""
        found = np.zeros(self.shape, np.uint8)
        for ring in FEATURES:
            found |= _filled(self.points[list(ring)], self.shape)
        return cv2.dilate(found, disc(FEATURE_MARGIN * self.height))

    @cached_property
    def lips(self) -> Gray8:
        """1 at lips and what is between them, 0 elsewhere."""
        return _filled(self.points[list(LIPS)], self.shape)

    @cached_property
    def inward(self) -> Plane:
        """Distance from the hull's edge inside it, in units of the height."""
        return cv2.distanceTransform(self.hull, cv2.DIST_L2, 3) * np.float32(1 / self.height)

    @cached_property
    def outward(self) -> Plane:
        """The same outside it."""
        return cv2.distanceTransform(1 - self.hull, cv2.DIST_L2, 3) * np.float32(1 / self.height)

    @cached_property
    def downward(self) -> Plane:
        """How far down along the face's axis each pixel is: 0 at the top of the forehead, 1 at the chin."""
        top, chin = self.points[TOP], self.points[CHIN]
        axis = (chin - top) / max(float(np.square(chin - top).sum()), 1.0)
        rows, columns = np.indices(self.shape, np.float32)
        return (columns - top[0]) * np.float32(axis[0]) + (rows - top[1]) * np.float32(axis[1])

    def around(self, margin: float) -> tuple[slice, slice]:
        """Rows and columns of the hull and of what is within so much of the height around it."""
        x, y, width, height = cv2.boundingRect(self.hull)
        more = round(margin * self.height)
        return slice(max(0, y - more), y + height + more), slice(max(0, x - more), x + width + more)

    def eroded(self, margin: float) -> Gray8:
        """The hull without an edge of so much of the height."""
        return cv2.erode(self.hull, disc(margin * self.height))

    def soft_hull(self, sigma: float) -> Plane:
        """The hull blurred by so much of the height, 0..1."""
        return blurred(self.hull.astype(np.float32), sigma * self.height)

    def blurred(self, image: Plane, sigma: float) -> Plane:
        """An image blurred by so much of the height."""
        return blurred(image, sigma * self.height)


def _filled(points: NDArray[np.float32], shape: tuple[int, int]) -> Gray8:
    found = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(found, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    return found
