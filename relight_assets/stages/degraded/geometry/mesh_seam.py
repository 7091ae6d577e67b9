"""Whether the join of face mesh and inflated silhouette shows in the light, as the rim of a mask would."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Points
from relight_assets.core.color import luminance
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.geometry.scene import RIM_WIDTH, Scene

LINE, NEAR, FAR = 0.012, 0.03, 0.08
"""The outline's half width, and from where to where its neighbours lie on either side, in units of the mesh's size."""
HALVED_ABOVE = 160
"""Pixels across the mesh above which every second pixel is enough."""
IRRADIANCE_FLOOR = np.float32(0.01)
"""Added to irradiance before the logarithm, linear: in full shadow slopes are noise."""
MIN_SEAM_PIXELS = 60
"""Pixels of the outline, or of a side, below which nothing is measured: the outline may be the silhouette."""


def mask_rim(scene: Scene, light: LinearRgb) -> float | None:
    """Compare how steep the light is across the largest mesh's outline and beside it.

    Args:
        scene: the person.
        light: (h, w, 3) float32 irradiance.

    Returns:
        Mean slope of the log irradiance on the outline over that of the steeper side, to 6 decimals: 1 is no rim; None
        without a face.
    """
    if not scene.faces:
        return None
    part, hull, extent = _around(scene.faces[0], scene.shape)
    size = light[part].shape[:2]
    if min(size) < 3:
        return None
    filled = cv2.fillConvexPoly(np.zeros(size, np.uint8), hull, 1)
    inside, outside = (cv2.distanceTransform(plane, cv2.DIST_L2, 3) for plane in (filled, 1 - filled))
    # A key light fades at the silhouette, which is another slope.
    person = (scene.alpha[part] > 0.9) & (scene.inward[part] > 1.5 * RIM_WIDTH * scene.size)
    distance = inside + outside
    line = person & (distance <= max(LINE * extent, 1.5))
    beside = person & (distance >= NEAR * extent) & (distance <= FAR * extent)
    within, beyond = beside & (filled > 0), beside & (filled == 0)
    if min(np.count_nonzero(zone) for zone in (line, within, beyond)) < MIN_SEAM_PIXELS:
        return None
    log = cv2.log(luminance(np.ascontiguousarray(light[part])) + IRRADIANCE_FLOOR)
    slope_x, slope_y = (cv2.Sobel(log, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    # Not cv2.magnitude: its last bit depends on where in memory its result happens to lie.
    steep = np.sqrt(slope_x * slope_x + slope_y * slope_y)
    on, *sides = (float(steep[zone].mean(dtype=np.float64)) for zone in (line, within, beyond))
    return float(rounded(on / max(*sides, 1e-6)))


def _around(points: Points, shape: tuple[int, int]) -> tuple[tuple[slice, slice], NDArray[np.int32], float]:
    # The image around the mesh, every second pixel of a large one; the mesh's outline in it, and the mesh's size.
    flat = points[:, :2]
    extent = float(np.ptp(flat, axis=0).max())
    step = 2 if extent > HALVED_ABOVE else 1
    low = np.floor(flat.min(axis=0) - FAR * extent).astype(int).clip(0, None)
    high = np.ceil(flat.max(axis=0) + FAR * extent).astype(int).clip(0, shape[::-1]) + 1
    hull = cv2.convexHull(np.rint((flat - low) / step).astype(np.int32))
    return np.s_[low[1] : high[1] : step, low[0] : high[0] : step], hull, extent / step
