"""How much warmer the photo's key light is than its fill: skin has the color of each where it is lit by it.

Cameras compress what is bright, so that lit skin is paler than skin in the shade, whatever the light; their usual curve
is undone first.  Red light goes around the terminator under the skin (as in ``shading.lamp``) and is taken out as well.
Only warm against cool is told: what is left, green against pink, is less than skin itself varies by.
"""

import math

import numpy as np

from relight_assets.stages.degraded.source_light.direction_fit import INDEPENDENT, DirectionFit
from relight_assets.stages.degraded.source_light.face_points import FacePoints, Floats

FLOOR = 0.001
"""Added to linear color: in the dark, color ratios are noise."""
TOE, SHOULDER, SHOULDER_POWER = 0.75, 0.9, 0.6
"""The usual curve of a camera, undone: ``x^.75 / (1 - .9 x)^.6``, under which real portraits have no bias."""
ROUNDS = 4
"""Rounds of reweighting."""
WIDE = 1.5
"""A residual of so many times the median one counts half."""
DEVIATION = 1.48
"""Standard deviation over the median residual, of normal errors."""
OF_CURVE = 0.25
"""Error that the camera's unknown curve leaves, ln R/B."""
USUAL = 0.5
"""Standard deviation of the difference between key and fill over photos, ln R/B."""
LEAST_SPREAD = 0.02
"""Standard deviation of the lamp's share over the face below which nothing is told."""
BLOOD = 0.06
"""How much further red light goes around than blue, as a wrap of the cosine."""


def fit_warmth(points: FacePoints, light: DirectionFit) -> tuple[float, float]:
    """Return ln R/B of the key light over that of the fill, and how reliable that is, 0..1."""
    share, trust = light.key_share.astype(np.float64), light.trust.astype(np.float64)
    warm, weight = _warm(points.colors) - _bled(points, light), trust
    slope, error = 0.0, math.inf
    for _ in range(ROUNDS):
        total = weight.sum()
        across, level = share - weight @ share / total, warm - weight @ warm / total
        varied = float(weight @ (across * across) / total)
        if varied < LEAST_SPREAD**2:
            return 0.0, 0.0
        slope = float(weight @ (across * level) / total) / varied
        residual = np.abs(level - slope * across)
        usual = max(float(np.median(residual)), 1e-4)
        weight = trust / (1 + np.square(residual / (WIDE * usual)))
        error = DEVIATION * usual / math.sqrt(varied * INDEPENDENT)
    return slope, USUAL**2 / (USUAL**2 + error**2 + OF_CURVE**2)


def _warm(colors: Floats) -> Floats:
    scene = np.clip(colors, 0, 1).astype(np.float64)
    scene = (scene + FLOOR) ** TOE / (1 - SHOULDER * scene) ** SHOULDER_POWER
    warm: Floats = np.log(scene[:, 0] / scene[:, 2])
    return warm


def _bled(points: FacePoints, light: DirectionFit) -> Floats:
    """What red light under the skin adds to ln R/B of each point."""
    cosine = points.normals.astype(np.float64) @ np.array(light.direction)
    share = light.key_share.astype(np.float64)
    lit = np.maximum(cosine, 1e-3)
    more = np.maximum((cosine + BLOOD) / (1 + BLOOD), 0) / lit
    bled: Floats = np.log(np.maximum(1 - share + share * np.minimum(more, 1 + BLOOD / 0.1), 1e-3))
    return bled
