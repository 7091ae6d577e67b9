"""The head's own shadow: how much of a lamp each point of the person sees."""

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.filters import smoothstep
from relight_assets.stages.degraded.geometry.scene import Scene

MARCH_STEPS = 40
"""Steps toward the light; they grow with distance."""
WIDE, COARSE_SIDE = 0.4, 112
"""Half size of a lamp, radians, from which its shadows are so soft that a height field of so many pixels is enough."""
REACH = 0.6
"""How far the light is followed, in units of the longest side."""


def visibility(scene: Scene, light: Direction, penumbra: float) -> Plane:
    """Return how much of a light each point of the person sees: (h, w) float32 in 0..1 at working size."""
    height = scene.low_height if penumbra < WIDE else scene.at_side(COARSE_SIDE)
    return cv2.resize(sight(height, light, penumbra), scene.shape[::-1], interpolation=cv2.INTER_LINEAR)


def sight(height: Plane, light: Direction, penumbra: float, steps: int = MARCH_STEPS) -> Plane:
    """Return how much of a light each point of a height field sees.

    The height field is marched toward the light in steps that grow with distance, and with them
    the width over which an occluder counts: ``penumbra`` is the light's angular half size (.05 a
    small lamp, .8 a wide window).

    Args:
        height: (h, w) float32, in its own pixels.
        light: toward it.
        penumbra: that half size, radians.
        steps: that are made.

    Returns:
        (h, w) float32 in 0..1.
    """
    flat = float(np.hypot(light.x, light.y))
    if flat < 1e-4:
        return np.ones_like(height)
    climb = max(light.z, 0.0) / flat
    step_x, step_y = light.x / flat, light.y / flat
    rows, columns = height.shape
    clearance = np.full_like(height, 8.0)
    farthest = max(REACH * max(height.shape), 2.0)
    for distance in np.geomspace(1.0, farthest, steps).tolist():
        matrix = np.array([[1, 0, distance * step_x], [0, 1, distance * step_y]], np.float64)
        there = cv2.warpAffine(
            height,
            matrix,
            (columns, rows),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=-1e4,
        )
        cv2.subtract(height, there, dst=there)
        there += np.float32(climb * distance)
        there *= np.float32(1 / (2 * penumbra * distance + 0.5))
        cv2.min(clearance, there, dst=clearance)
    return smoothstep(clearance + np.float32(0.5))
