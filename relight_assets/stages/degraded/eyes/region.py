"""Where an eye is in an image: its iris, and the opening between the lids."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Points

IRIS_POINTS = 5
"""Of the points of an eye those of the iris: the centre, then four of its outline; the rest go around the opening."""
REACH = 2.2
"""Half the side of an eye's square, in radii of the iris: the white of the eye is in it."""
FINE_RADIUS = 10.0
"""Pixels of the iris's radius that are enough to find catch-lights."""
LID_SOFTNESS = 0.08
"""Width of the lids' edge, in radii of the iris."""


@dataclass(frozen=True)
class Eye:
    """One eye in an image.  Planes are (h, w) float32 and cover ``box``, in fewer pixels where the eye is large."""

    points: Points
    """(21, 2) float32, pixels of the image."""
    box: tuple[slice, slice]
    """Rows and columns of the image around it."""
    radius: float
    """Of the iris, pixels of the image."""
    step: float
    """Pixels of the image over those of the planes."""
    distance: Plane
    """Of each point from the iris's centre, in radii of the iris."""
    opening: Plane
    """How much of each point lies between the lids, 0..1."""
    aperture: float
    """Height of the opening over the iris's centre, in widths of the iris."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the planes."""
        return self.distance.shape[0], self.distance.shape[1]


def region(points: Points, shape: tuple[int, ...]) -> Eye | None:
    """Find an eye's place in an image.

    Args:
        points: (21, 2) float32 pixels, as :mod:`relight_assets.stages.masks.recorded_faces` gives them.
        shape: height and width of the image.

    Returns:
        None where the iris is not whole in the image.
    """
    x, y = points[0].tolist()
    radius = float(np.hypot(*(points[1:IRIS_POINTS] - points[0]).astype(np.float64).T).mean())
    if radius < 1 or not (radius <= x < shape[1] - radius and radius <= y < shape[0] - radius):
        return None
    reach = REACH * radius
    rows = slice(max(0, int(y - reach)), min(shape[0], int(y + reach) + 2))
    columns = slice(max(0, int(x - reach)), min(shape[1], int(x + reach) + 2))
    step = max(1.0, radius / FINE_RADIUS)
    across, down = offsets(points, radius, (rows, columns), step)
    return Eye(
        points,
        (rows, columns),
        radius,
        step,
        cv2.magnitude(across, down),
        opening(points, radius, (rows, columns), step),
        _aperture(points[IRIS_POINTS:].astype(np.float64), (x, y)) / (2 * radius),
    )


def offsets(points: Points, radius: float, box: tuple[slice, slice], step: float = 1.0) -> tuple[Plane, Plane]:
    """How far each point of a box lies to the right of the iris's centre, and below it, in radii: (h, w) float32."""
    (columns, rows), (zoom_x, zoom_y) = _cells(box, step), _zoom(box, step)
    x = (box[1].start - 0.5 + (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(zoom_x) - points[0, 0]) / radius
    y = (box[0].start - 0.5 + (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(zoom_y) - points[0, 1]) / radius
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return across, down


def opening(points: Points, radius: float, box: tuple[slice, slice], step: float = 1.0) -> Plane:
    """How much of each point of a box lies between the lids: (h, w) float32 in 0..1."""
    columns, rows = _cells(box, step)
    lids = (points[IRIS_POINTS:] - (box[1].start - 0.5, box[0].start - 0.5)) / _zoom(box, step) - 0.5
    filled = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(filled, [np.rint(lids * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(filled, (0, 0), max(LID_SOFTNESS * radius / step, 0.5))
    return soft.astype(np.float32) * np.float32(1 / 255)


def _cells(box: tuple[slice, slice], step: float) -> tuple[int, int]:
    rows, columns = (part.stop - part.start for part in box)
    return max(1, round(columns / step)), max(1, round(rows / step))


def _zoom(box: tuple[slice, slice], step: float) -> tuple[float, float]:
    columns, rows = _cells(box, step)
    return (box[1].stop - box[1].start) / columns, (box[0].stop - box[0].start) / rows


def _aperture(lids: Points, centre: tuple[float, float]) -> float:
    """Height of a closed outline where it crosses the line through a point, at right angles to its longest side."""
    axis = lids[len(lids) // 2] - lids[0]
    axis = axis / max(float(np.hypot(*axis)), 1e-6)
    local = (lids - centre) @ np.array([[axis[0], -axis[1]], [axis[1], axis[0]]])
    ends = np.roll(local, -1, axis=0)
    crossing = (local[:, 0] <= 0) != (ends[:, 0] <= 0)
    if np.count_nonzero(crossing) < 2:
        return 0.0
    (x0, y0), (x1, y1) = local[crossing].T, ends[crossing].T
    return float(np.ptp(y0 - (y1 - y0) * x0 / (x1 - x0)))
