"""From where, and how much from all around, a face is lit: every place of a lamp is tried.

For each of 145 directions and five shares of fill the light on the face is computed, with the shadows that the face
casts on itself, and compared with the photo in logarithms.  What does not follow the shape (paint, sheen, shadows of
other things) counts little (Cauchy's weights).  What fits is the more probable, so the spread of the probability says
how far the answer can be trusted (after Bayes; the number of independent points is calibrated on known lights).
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.stages.degraded.geometry.filters import smoothstep
from relight_assets.stages.degraded.source_light.catch_lights import MirroredLamp
from relight_assets.stages.degraded.source_light.face_points import AZIMUTHS, FacePoints, Floats

ELEVATIONS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0)
"""Of the directions that are tried, degrees toward the camera; 90 is tried once."""
FILLS = (0.05, 0.15, 0.45, 1.3, 4.0)
"""Light from all around over that of the lamp where it is faced."""
FILL_FRONT = 0.2
"""How much less fill there is on what turns away from the camera."""
HALF_SIZE = 0.2
"""Tangent of the lamp's angular half size, by which shadows of the face have an edge."""
DARKEST = 1e-3
"""Added to the light before the logarithm."""
SPREAD = 0.15
"""Nepers by which a point may be off until it counts half."""
ROUNDS = 2
"""Rounds of reweighting the mean difference."""
INDEPENDENT = 20.0
"""Points that are worth as much as a face's points, whose errors are alike."""
USUAL, USUALLY = (0.0, -0.5, 0.866), 0.5
"""Where light mostly comes from, and how strongly that is believed before the photo is seen."""
CORE, CONE = 30.0, 25.0
"""Degrees around the most probable direction whose mean is the answer, and around the answer whose probability is its
reliability."""
NEAR_FILL = 0.15
"""The same around the share of fill."""


@dataclass(frozen=True)
class DirectionFit:
    """The light that fits a face."""

    direction: tuple[float, float, float]
    """Unit vector toward it: x right, y down, z to the camera."""
    reliability: float
    """Probability that it lies within 25 degrees of that."""
    fill_share: float
    """Share of what comes from all around in the light on what faces the lamp, 0..1."""
    fill_reliability: float
    """Probability that it lies within .15 of that."""
    key_share: Floats
    """(N,) share of the lamp in the light on each point, 0..1."""
    trust: Floats
    """(N,) how well each point follows the shape, times how surely it is skin, 0..1."""


@functools.cache
def _directions() -> tuple[Floats, NDArray[np.intp], Floats]:
    """Those that are tried, (C, 3); the number of each one's azimuth; and the solid angle of each, up to a factor."""
    turns = np.arange(AZIMUTHS) * (2 * np.pi / AZIMUTHS)
    up = np.radians(ELEVATIONS)[:, None]
    rings = np.stack(
        [np.cos(up) * np.cos(turns), np.cos(up) * np.sin(turns), np.broadcast_to(np.sin(up), (up.size, AZIMUTHS))],
        axis=2,
    ).reshape(-1, 3)
    area = np.append(np.repeat(np.cos(up[:, 0]) + 0.05, AZIMUTHS), 0.18)
    azimuth = np.append(np.tile(np.arange(AZIMUTHS), up.size), 0)
    return np.vstack([rings, [[0, 0, 1]]]).astype(np.float32), azimuth, area.astype(np.float32)


def lamp_light(points: FacePoints, directions: Floats, azimuths: NDArray[np.intp]) -> Floats:
    """Return the light of a lamp on points, (C, N) float32, 1 where it is faced and seen.

    Args:
        points: of a face.
        directions: (C, 3) unit vectors toward the lamp.
        azimuths: (C,) numbers of the horizon's directions nearest to them.
    """
    flat = np.hypot(directions[:, 0], directions[:, 1])
    climb = (directions[:, 2] / np.maximum(flat, np.float32(1e-3)))[:, None]
    above = (climb - points.horizon.T[azimuths]) * np.float32(0.5 / HALF_SIZE)
    seen = smoothstep(above.astype(np.float32, copy=False) + np.float32(0.5))
    seen[flat < 0.01] = 1
    faced: Floats = np.maximum(directions @ points.normals.T, 0) * seen
    return faced


def fit_direction(points: FacePoints, eyes: MirroredLamp | None = None) -> DirectionFit:
    """Find the light of a face, and of its eyes where they show a lamp."""
    directions, azimuths, area = _directions()
    lamps, fill = lamp_light(points, directions, azimuths), 1 - np.float32(FILL_FRONT) * (1 - points.normals[:, 2])
    misfit = np.stack([_compared(points, lamps + np.float32(level) * fill)[0] for level in FILLS])
    believed = np.log(area) + np.float32(USUALLY) * (directions @ np.array(USUAL, np.float32))
    if eyes is not None:
        believed += np.log(eyes.likelihood(directions))
    probable = np.exp((believed - INDEPENDENT * (misfit - misfit.min())).astype(np.float64))
    probable /= probable.sum()
    direction, reliability = _middle(probable.sum(axis=0), directions)
    share, share_reliability = _fill_share(probable.sum(axis=1))
    level = share / (1 - share)
    turn = round(math.atan2(direction[1], direction[0]) * AZIMUTHS / (2 * math.pi)) % AZIMUTHS
    lamp = lamp_light(points, np.array([direction], np.float32), np.array([turn]))
    lit = lamp + np.float32(level) * fill
    return DirectionFit(
        direction, reliability, share, share_reliability, (lamp / lit)[0], points.trust * _compared(points, lit)[1][0]
    )


def _compared(points: FacePoints, lit: Floats) -> tuple[Floats, Floats]:
    """How badly each of (C, N) lights fits, and how well each point follows it."""
    off = points.light - cv2.log(lit + np.float32(DARKEST))
    total = np.float32(points.trust.sum())
    mean = (off @ points.trust / total)[:, None]
    for _ in range(ROUNDS):
        follows = _follows(off, mean)
        mean = ((follows * off) @ points.trust / (follows @ points.trust))[:, None]
    follows = _follows(off, mean)
    return -(cv2.log(follows) @ points.trust) / total, follows


def _follows(off: Floats, mean: Floats) -> Floats:
    far = off - mean
    far *= np.float32(1 / SPREAD)
    far *= far
    far += 1
    return cv2.divide(1, far)


def _middle(probable: NDArray[np.float64], directions: Floats) -> tuple[tuple[float, float, float], float]:
    best = directions[int(probable.argmax())]
    core = directions @ best > math.cos(math.radians(CORE))
    mean = probable[core] @ directions[core].astype(np.float64)
    mean /= np.linalg.norm(mean)
    near = directions @ mean.astype(np.float32) > math.cos(math.radians(CONE))
    x, y, z = mean.tolist()
    return (x, y, z), float(probable[near].sum())


def _fill_share(probable: NDArray[np.float64]) -> tuple[float, float]:
    shares = np.array([level / (1 + level) for level in FILLS])
    mean = float(probable @ shares)
    return mean, float(probable[np.abs(shares - mean) < NEAR_FILL].sum())
