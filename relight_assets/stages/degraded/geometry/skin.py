"""Where a face mesh is skin: not hair, glasses, beard, eyes or teeth, whose highlights differ.

The measure is the colour of that person's own forehead, cheeks and nose, and how much it varies over that face,
which it does more where skin is dark: so it is one for all skins.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane, Points
from relight_assets.core.color import planes_of
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep

BARE = (10, 151, 9, 108, 337, 50, 101, 205, 280, 330, 425, 5, 195)
"""Mesh points that are seldom covered: forehead, both cheeks, nose."""
EYES_AND_MOUTH = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)
"""Rings of mesh points: both eyes, and what the lips leave open."""
PATCH = 0.03
"""Width of what is averaged around a point, in units of the mesh's size."""
BLUR = 0.01
"""Blur of the result, in units of the mesh's size."""
COLOR_FLOOR = np.float32(0.006)
"""Added to linear colour before the logarithm: in the dark, colour ratios are noise."""
COLOR_REACH, COLOR_SPREADS = 0.35, 1.7
"""Difference of log colour ratios at which a colour is skin by exp(-1/2): at least, and in units of the middle one."""
DARK_START, DARK_SPREADS, DARK_WIDTH = 0.55, 1.7, 0.8
"""How much darker than skin, nepers, skin begins to end (frames, hair, beards), likewise; and how soon it has."""
MARGIN_PX = 2
"""Pixels around the mesh that are computed with it."""
HALVED_ABOVE = 160
"""Pixels across a face from which half of them are enough."""


def likelihood(albedo: LinearRgb, faces: Sequence[Points]) -> Plane:
    """Say how surely each point of a face is skin.

    Args:
        albedo: (h, w, 3) float32 linear.
        faces: (468, 3) float32 meshes in its pixels.

    Returns:
        (h, w) float32 in 0..1; 1 beside faces, of which nothing is known.
    """
    skin = np.ones(albedo.shape[:2], np.float32)
    for points in reversed(faces):  # the largest last: where two overlap it is the nearer one
        low = np.clip(np.floor(points[:, :2].min(axis=0)).astype(int) - MARGIN_PX, 0, None)
        high = np.clip(np.ceil(points[:, :2].max(axis=0)).astype(int) + MARGIN_PX, 0, albedo.shape[1::-1])
        if (high - low).min() > 2 * MARGIN_PX:
            part = np.s_[low[1] : high[1], low[0] : high[0]]
            skin[part] = _reduced(albedo[part], points[:, :2] - low.astype(np.float32))
    return skin


def _reduced(albedo: LinearRgb, flat: NDArray[np.float32]) -> Plane:
    height, width = albedo.shape[:2]
    if max(height, width) < HALVED_ABOVE:
        return _of_face(albedo, flat)
    half = cv2.resize(albedo, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    found = _of_face(half, (flat - np.float32(0.5)) * np.float32(0.5))
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)


def _of_face(albedo: LinearRgb, flat: NDArray[np.float32]) -> Plane:
    extent = float(np.ptp(flat, axis=0).max())
    red, green, blue = (cv2.log(plane + COLOR_FLOOR) for plane in planes_of(albedo))
    warm, cold, light = (_beside_skin(plane, flat, extent) for plane in (red - green, blue - green, green))
    color = warm * warm + cold * cold
    reach = max(COLOR_REACH**2, COLOR_SPREADS**2 * float(np.median(at_points(color, flat))))
    start = max(DARK_START, DARK_SPREADS * float(np.median(np.abs(at_points(light, flat)))))
    skin = smoothstep((light + np.float32(start + DARK_WIDTH)) * np.float32(1 / DARK_WIDTH))
    skin *= cv2.exp(color * np.float32(-0.5 / reach))
    for ring in EYES_AND_MOUTH:
        cv2.fillPoly(skin, [np.rint(flat[list(ring)]).astype(np.int32)], 0.0)
    return smooth(skin, BLUR * extent)


def _beside_skin(plane: Plane, flat: NDArray[np.float32], extent: float) -> Plane:
    # Less the median of what is bare: one cheek alone may lie in a shadow, behind hair or outside of the image.
    side = max(1, round(PATCH * extent))
    return plane - np.float32(np.median(at_points(cv2.blur(plane, (side, side)), flat[list(BARE)])))


def at_points(plane: Plane, flat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values of a plane at (N, 2) points, those outside at the border: (N,) float32."""
    columns, rows = (
        np.clip(np.rint(values), 0, size - 1).astype(np.intp)
        for values, size in zip(flat.T, plane.shape[::-1], strict=True)
    )
    return plane[rows, columns]
