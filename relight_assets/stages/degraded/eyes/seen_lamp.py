"""Whether an eye sees the lamp, and how bright that is."""

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb
from relight_assets.core.color import LUMINANCE_WEIGHTS, luminance
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.eyes.own_lights import quantile
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.geometry.visibility import MARCH_STEPS, REACH

LIT_QUANTILE = 0.9
"""Quantile of the irradiance on the head that is its lit part's."""
LIT_STEP = 4
"""Of the samples on the head every fourth is enough for that."""
SHADED, LIT = 0.4, 0.8
"""Irradiance at an eye, over that of the lit part and its cosine, at which a pattern hides all of a lamp, and none."""
LEAST_COSINE = 0.25
"""Cosine between an eye's normal and a light, below which lids and lashes count for more."""
AROUND = 2
"""Working pixels around an eye over which the light on it is averaged."""


def seen_share(scene: Scene, light: Direction, place: tuple[float, float], lamp_size: float) -> float:
    """How much of a lamp an eye sees past nose and brows, 0..1.

    As :func:`relight_assets.stages.degraded.geometry.visibility.visibility`, for one point of the working image.
    """
    height = scene.low_height
    flat = float(np.hypot(light.x, light.y))
    if flat < 1e-4:
        return 1.0
    ratio = height.shape[1] / scene.shape[1], height.shape[0] / scene.shape[0]
    x, y = ((value + 0.5) * scale - 0.5 for value, scale in zip(place, ratio, strict=True))
    distances = np.geomspace(1.0, max(REACH * max(height.shape), 2.0), MARCH_STEPS)
    columns, rows = (
        (start + distances * step / flat).astype(np.float32) for start, step in ((x, light.x), (y, light.y))
    )
    there = cv2.remap(height, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-1e4)
    here = float(cv2.getRectSubPix(height, (1, 1), (x, y)).item())
    climbed = here + distances * max(light.z, 0.0) / flat
    clearance = (climbed - there.ravel()) / (2 * lamp_size * distances + 0.5)
    share = float(np.clip(clearance.min(initial=8.0) + 0.5, 0, 1))
    return share * share * (3 - 2 * share)


def lit_level(scene: Scene, light: LinearRgb) -> float:
    """Irradiance, luminance, on the lit part of the head under a light (h, w, 3) at working size."""
    on_head = light.reshape(-1, 3)[scene.head_samples[::LIT_STEP]] @ np.array(LUMINANCE_WEIGHTS, np.float32)
    return quantile(on_head, LIT_QUANTILE)


def unshaded_share(
    scene: Scene, light: LinearRgb, level: float, direction: Direction, place: tuple[float, float]
) -> float:
    """How much of a lamp the shadow pattern in its way leaves for an eye, 0..1; ``level`` is :func:`lit_level`."""
    column, row = _clamped(place[0], scene.shape[1]), _clamped(place[1], scene.shape[0])
    around = np.s_[max(0, row - AROUND) : row + AROUND + 1, max(0, column - AROUND) : column + AROUND + 1]
    here = float(luminance(np.ascontiguousarray(light[around])).mean(dtype=np.float64))
    normal = [float(plane[around].mean(dtype=np.float64)) for plane in scene.normals]
    cosine = sum(one * other for one, other in zip(normal, direction.vector, strict=True))
    share = here / max(level * max(cosine, LEAST_COSINE), 1e-6)
    return float(np.clip((share - SHADED) / (LIT - SHADED), 0, 1))


def _clamped(value: float, length: int) -> int:
    return min(max(round(value), 0), length - 1)
