"""Where the photo's key light stood, as the catch-lights of its eyes show it.

A cornea is a mirror whose normals are known, so what it shows of a lamp is where that stands (Nishino and Nayar,
"Eyes for relighting", SIGGRAPH 2004).  An eye that looks aside moves it, and a lid may hide its upper part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Points, Rgba8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.degraded.eyes.catch_light import CORNEA
from relight_assets.stages.degraded.eyes.own_lights import IRIS, ClearEye, shrunk
from relight_assets.stages.degraded.eyes.region import offsets

OF_PEAK = 0.5
"""Share of the brightest point's luminance above which a point counts: halos do not."""
MAX_SPREAD = 0.3
"""Radii of the iris over which one lamp is spread, at most: several lamps, or a landscape, have no place."""
MAX_APART = 0.4
"""Radii by which both eyes may disagree."""
LOOSE_X, LOOSE_Y = 0.12, 0.30
"""Standard deviations of the half vector's x and y that eyes give: lids hide lamps above."""
TRUE = 0.8
"""How often the brightest thing that an eye mirrors is the light that shades the face."""


@dataclass(frozen=True)
class MirroredLamp:
    """Half vector of view and light, x right and y down, as the eyes show it."""

    x: float
    y: float

    def likelihood(self, directions: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely each of (N, 3) unit vectors is the direction of the light, up to a factor: (N,) float32."""
        across, down = (directions[:, :2] / np.sqrt(np.maximum(2 + 2 * directions[:, 2:], 1e-6))).T
        off = np.square((across - self.x) / LOOSE_X) + np.square((down - self.y) / LOOSE_Y)
        return (1 - TRUE + TRUE * np.exp(-0.5 * off)).astype(np.float32)


def mirrored_lamp(foreground: Rgba8, eyes: Sequence[ClearEye], face: Points) -> MirroredLamp | None:
    """Say where the eyes of a face show a lamp.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB, the person of the photo.
        eyes: those that are seen well enough, also of other faces.
        face: (468, 3) float32, the mesh, in the same pixels.

    Returns:
        None where no eye shows one lamp, or two disagree.
    """
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    own = [each for each in eyes if bool(np.all((each.eye.points[0] > low) & (each.eye.points[0] < high)))]
    places = [place for place in (_place(foreground, each) for each in own) if place is not None]
    if not places or max(math.dist(place, places[0]) for place in places) > MAX_APART:
        return None
    x, y = (sum(part) / len(places) / CORNEA for part in zip(*places, strict=True))
    return MirroredLamp(x, y)


def _place(foreground: Rgba8, clear: ClearEye) -> tuple[float, float] | None:
    """The middle of what an eye mirrors, in radii of the iris from its centre."""
    eye, spots = clear.eye, clear.catch_lights & (clear.eye.distance < IRIS)
    if not spots.any():
        return None
    light = luminance(decode(np.ascontiguousarray(shrunk(foreground[eye.box], eye)[..., :3])))
    weight = np.where(spots, np.maximum(light - np.float32(OF_PEAK) * light[spots].max(), 0), np.float32(0))
    total = float(weight.sum(dtype=np.float64))
    if total <= 0:
        return None
    across, down = offsets(eye.points, eye.radius, eye.box, eye.step)
    x, y = (float((plane * weight).sum(dtype=np.float64)) / total for plane in (across, down))
    off = cv2.magnitude(across - np.float32(x), down - np.float32(y))
    spread = math.sqrt(float((off * off * weight).sum(dtype=np.float64)) / total)
    return (x, y) if spread <= MAX_SPREAD else None
