"""How much a light does to a face, and what it does to the colour of its skin."""

from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.core.color import LUMINANCE_WEIGHTS, largest_channel, safe_ratio
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.geometry.bare_skin import LIPS
from relight_assets.stages.degraded.geometry.filters import smooth
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.geometry.skin import EYES_AND_MOUTH
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.tone_curve import ToneCurve

BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
"""Rings of mesh points around both brows."""
EDGE = 0.03
"""What is nearer to the mesh's outline, or to a feature, is not skin for certain, in units of the face's height."""
BLUR = 0.02
"""Blur of the light, in units of the face's height: finer is the skin's own detail, and noise."""
OPAQUE, DARK = np.float32(250 / 255), np.float32(0.01)
"""Alpha and albedo, linear, above which a pixel is a face's alone, and its light can be told."""
FLOOR = np.float32(0.002)
"""Linear luminance that is added before the logarithm."""
SIDE = 96
"""Pixels of the face's height that are enough."""
FEWEST = 50
"""Pixels of skin that are enough for a measurement."""


@dataclass(frozen=True)
class FaceSkin:
    """Where the largest face of a scene is skin for certain.

    ``at`` (N,) numbers the pixels in the working image, row by row; they are those of ``mask`` (h, w), a grid of
    pixels that cover the face.  ``blur`` is in pixels of the grid.
    """

    at: NDArray[np.intp]
    mask: Mask
    blur: float


def face_skin(scene: Scene) -> FaceSkin | None:
    """Find the skin of the largest face; None where there is none, or too little of it."""
    if not scene.faces:
        return None
    flat = scene.faces[0][:, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    height = float(high[1] - low[1])
    step = max(1, round(height / SIDE))
    columns, rows = (
        np.arange(max(0, int(start)), min(size, int(end) + 1), step)
        for start, end, size in zip(low, high, scene.shape[::-1], strict=True)
    )
    if not rows.size or not columns.size:
        return None
    inside = np.zeros((rows.size, columns.size), np.uint8)
    points = (flat - (columns[0], rows[0])) / step
    _fill(inside, points, 1)
    features = np.ones_like(inside)
    for ring in chain(EYES_AND_MOUTH[:2], BROWS, [LIPS]):
        _fill(features, points[list(ring)], 0)
    inside = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    from_edge = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    edge = EDGE * height / step
    mask = (from_edge > edge) & (cv2.distanceTransform(features, cv2.DIST_L2, 3) > edge)
    at = rows[:, None] * scene.shape[1] + columns
    mask &= (scene.alpha.ravel()[at] > OPAQUE) & (_light(scene.albedo.reshape(-1, 3)[at]) > DARK)
    return FaceSkin(at[mask], mask, BLUR * height / step) if np.count_nonzero(mask) >= FEWEST else None


def measure(scene: Scene, skin: FaceSkin, shading: Shading, curve: ToneCurve) -> dict[str, float]:
    """Measure what an exposed light does to the skin of a face.

    Returns:
        ``face_light``: standard deviation of the light over the face, stops, without what is finer than .02 of the
        face's height.  Of the better lit half of that skin, as bright in both, CIE Lab: ``skin_chroma``, its chroma
        over that of the albedo, and ``skin_hue``, how far its hue is turned (degrees, positive toward yellow).
    """
    albedo = scene.albedo.reshape(-1, 3)[skin.at]
    lit = albedo * shading.light.reshape(-1, 3)[skin.at]
    if shading.highlight is not None:
        lit = lit + shading.highlight.reshape(-1, 3)[skin.at]
    lit = lit * curve.factor_of(largest_channel(lit)[:, None])
    stops = np.log2(safe_ratio(_light(lit) + FLOOR, _light(albedo) + FLOOR))
    spread, known = np.zeros(skin.mask.shape, np.float32), skin.mask.astype(np.float32)
    spread[skin.mask] = stops
    blurred = safe_ratio(smooth(spread, skin.blur), smooth(known, skin.blur), 1e-3)[skin.mask]
    bright = stops >= np.median(stops)
    before, after = (values[bright].mean(axis=0, dtype=np.float64) for values in (albedo, lit))
    chroma, hue = _color_change(before, after)
    return {
        "face_light": float(rounded(float(blurred.std(dtype=np.float64)))),
        "skin_chroma": float(rounded(chroma)),
        "skin_hue": float(rounded(hue)),
    }


def _light(colors: NDArray[np.float32]) -> Plane:
    weights = np.array(LUMINANCE_WEIGHTS, np.float32)
    light: Plane = colors @ weights
    return light


def _color_change(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[float, float]:
    weights = np.array(LUMINANCE_WEIGHTS)
    after = after * (before @ weights) / max(float(after @ weights), 1e-6)
    pair = np.stack([before, after])[None].astype(np.float32)
    (_, *first), (_, *second) = cv2.cvtColor(pair, cv2.COLOR_LRGB2LAB)[0].astype(np.float64)
    turned = np.degrees(np.arctan2(second[1], second[0]) - np.arctan2(first[1], first[0]))
    ratio = np.hypot(*second) / max(float(np.hypot(*first)), 1.0)
    return min(float(ratio), 100.0), float((turned + 180) % 360 - 180)


def _fill(image: NDArray[np.uint8], points: NDArray[np.float32], value: int) -> None:
    cv2.fillConvexPoly(image, cv2.convexHull(np.rint(points).astype(np.int32)), value)
