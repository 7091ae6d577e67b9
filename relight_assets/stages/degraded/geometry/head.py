"""The head as an ellipse: from a face mesh, or from the mask where there is none."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Points
from relight_assets.stages.degraded.geometry.filters import inward_distance

CHIN, FOREHEAD = 152, 10
"""Mesh points at the ends of the face's long axis."""


@dataclass(frozen=True)
class Head:
    """The head as an ellipse: centre, half width, half height in pixels, and the direction of its top."""

    x: float
    y: float
    half_width: float
    half_height: float
    up: tuple[float, float]

    def distance(self, shape: tuple[int, int]) -> Plane:
        """Return squared elliptic distance from the centre, 1 on the outline, (h, w) float32."""
        dx = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(self.x)
        dy = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(self.y)
        along = dx * np.float32(self.up[0]) + dy * np.float32(self.up[1])
        across = dx * np.float32(-self.up[1]) + dy * np.float32(self.up[0])
        return np.square(along / np.float32(self.half_height)) + np.square(across / np.float32(self.half_width))

    def scaled(self, factor_x: float, factor_y: float) -> "Head":
        """Return the same head in an image whose pixels are that much smaller."""
        return Head(
            x=(self.x + 0.5) * factor_x - 0.5,
            y=(self.y + 0.5) * factor_y - 0.5,
            half_width=self.half_width * factor_x,
            half_height=self.half_height * factor_y,
            up=self.up,
        )


def head_of_mesh(points: Points) -> Head:
    """Lay an ellipse, a little larger than the face, around hair and ears of a face mesh."""
    flat = points[:, :2].astype(np.float64)
    axis = flat[FOREHEAD] - flat[CHIN]
    length = float(np.hypot(*axis))
    up = axis / length if length > 1e-6 else np.array([0.0, -1.0])
    across = np.array([-up[1], up[0]])
    along_range, across_range = np.ptp(flat @ up), np.ptp(flat @ across)
    middle = (flat @ up).min() + 0.58 * along_range
    side = (flat @ across).min() + 0.5 * across_range
    x, y = up * middle + across * side
    half_width = max(0.62 * float(across_range), 0.42 * float(along_range), 1.0)
    return Head(float(x), float(y), half_width, max(0.72 * float(along_range), 1.0), (float(up[0]), float(up[1])))


def head_of_mask(solid: Plane) -> Head:
    """Guess the head of a silhouette: the first place, going down, where it is widest."""
    distance = inward_distance(solid > 0)
    widest = cv2.blur(distance.max(axis=1)[:, None], (1, max(1, solid.shape[0] // 16))).ravel()
    row = int(np.argmax(widest))
    rising = np.flatnonzero((widest[1:-1] > widest[2:]) & (widest[1:-1] >= widest[:-2])) + 1
    tall = rising[widest[rising] > 0.3 * widest.max()]
    if tall.size:
        row = int(tall[0])
    radius = max(float(widest[row]), 1.0)
    column = float(np.argmax(distance[row]))
    return Head(column, float(row), 1.05 * radius, 1.35 * radius, (0.0, -1.0))
