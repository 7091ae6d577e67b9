"""The catch-light of a lamp in an eye: the cornea is a small mirror, a sphere.

A lamp is seen in it where the normal halves the angle between lamp and viewer (the law of reflection), as large as its
angular size halved.  Radii are those of the average adult: cornea 7.8 mm, iris 5.9 mm.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import Plane, Points
from relight_assets.core.rng import uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.eyes.cleared import ClearedEye
from relight_assets.stages.degraded.eyes.region import offsets, opening

CORNEA = 1.32
"""Radius of the cornea's sphere, in radii of the iris."""
OUTERMOST = 0.92
"""Radii beyond which a lamp is mirrored by the white of the eye, which is too rough to show it."""
SIZES = (0.10, 0.19)
"""Smallest and largest radius of a catch-light, in radii of the iris."""
LARGEST = 0.34
"""The largest of a ring or a window, in the same radii: what is inside is seen."""
BAR = 0.16
"""Half width of a window's bars, in radii of the catch-light."""
SMALLEST_PX = 0.8
"""Pixels of the radius below which a catch-light is drawn fainter, not smaller."""
PEAK_PER_SIZE, PEAKS = 0.3, (0.5, 1.2)
"""Brightness at the peak, over white paper in the same light: larger lamps are dimmer."""
SOFTNESS = 0.5
"""Width of the edge, in radii of the catch-light."""
INNER_SOFTNESS = 0.2
"""The same of a dark middle and of bars."""
LOBES = (2, 3)
"""Waves around the outline: no lamp is a perfect circle."""
WAVE, MOTTLE, RAGGED = 0.05, 0.5, 0.5
"""Height of these waves in radii of the catch-light, how much of its light the tear film takes, and how far it shifts
its outline, in the same radii."""
MOTTLE_CELLS = 5
"""Patches of the tear film across the square around a catch-light."""
ROUND, SQUARE = 2.0, 3.5
"""Exponents of a superellipse: a bulb, a window."""


@dataclass(frozen=True)
class LampShape:
    """What a lamp looks like in both eyes."""

    light: Direction
    radius: float
    """Of its reflection, in radii of the iris."""
    peak: float
    """Its brightness over that of white paper."""
    roundness: float
    """Exponent of the superellipse."""
    turn: float
    """Radians."""
    aspect: float
    """Width over height."""
    waves: tuple[tuple[float, float], ...]
    """Height and phase of each of ``LOBES``."""
    mottle: Plane
    """What each patch of the tear film takes away, (5, 5) float32 in 0..1."""
    hole: float = 0.0
    """Radius of its dark middle over that of the lamp."""
    bars: bool = False
    """Whether a cross of bars divides it, as a window's."""


def draw_shape(
    light: Direction, lamp_size: float, rng: Generator, *, hole: float = 0.0, bars: bool = False
) -> LampShape:
    """Draw what a lamp of an angular half size (radians) looks like, with a dark middle or a window's bars."""
    low, high = SIZES[0], LARGEST if hole or bars else SIZES[1]
    size = min(max(CORNEA * lamp_size / 2, low), high)
    dimmest, brightest = PEAKS
    return LampShape(
        light=light,
        radius=size,
        peak=min(max(PEAK_PER_SIZE / lamp_size, dimmest), brightest),
        roundness=_roundness((size - low) / (high - low) * float(rng.random()), hole=hole, bars=bars),
        turn=uniform(rng, (-0.5, 0.5)) * (0.2 if bars else 1.0),
        aspect=uniform(rng, (0.75, 1.3)) if not hole else 1.0,
        waves=tuple((uniform(rng, (-WAVE, WAVE)), uniform(rng, (0, 2 * math.pi))) for _ in LOBES),
        mottle=rng.random((MOTTLE_CELLS, MOTTLE_CELLS), np.float32),
        hole=hole,
        bars=bars,
    )


def _roundness(share: float, *, hole: float, bars: bool) -> float:
    if hole or bars:
        return ROUND if hole else SQUARE
    return ROUND + (SQUARE - ROUND) * share


def mirrored(light: Direction) -> tuple[float, float] | None:
    """Where an eye mirrors a light, in radii of the iris to the right of its centre and below; None: nowhere."""
    if CORNEA * _tilt(light) > OUTERMOST:
        return None
    length = math.sqrt(2 + 2 * light.z)
    return CORNEA * light.x / length, CORNEA * light.y / length


def _tilt(light: Direction) -> float:
    """Sine of the angle between the view and the normal that mirrors a light: half of that between view and light."""
    return math.sqrt(max(1 - light.z, 0.0) / 2)


def catch_light(
    cleared: ClearedEye, lamp: LampShape, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], Plane] | None:
    """Draw a lamp in an eye.

    Args:
        cleared: the eye.
        lamp: from :func:`draw_shape`.
        shape: height and width of the image.

    Returns:
        Rows and columns of the image, and how bright the lamp is in each pixel, (h, w) float32, over white paper in
        the same light; None where the eye does not show it.
    """
    place, (points, radius) = mirrored(lamp.light), (cleared.eye.points, cleared.eye.radius)
    if place is None:
        return None
    size = max(lamp.radius, SMALLEST_PX / radius)
    box = _box(points, radius, place, 2 * size, shape)
    if box is None:
        return None
    across, down = offsets(points, radius, box)
    inside = opening(points, radius, box) * _iris(cleared, box)
    film = cv2.resize(lamp.mottle, inside.shape[::-1], interpolation=cv2.INTER_CUBIC)
    x, y = (
        (plane - np.float32(centre)) / np.float32(size) for plane, centre in zip((across, down), place, strict=True)
    )
    light = _lobe(x, y, film, size * radius, lamp)
    light *= (1 - np.float32(MOTTLE) * film) * inside * np.float32(lamp.peak * min(1.0, (lamp.radius / size) ** 2))
    return box, light


def _iris(cleared: ClearedEye, box: tuple[slice, slice]) -> Plane:
    """How surely each point of a box shows the iris, (h, w) float32 in 0..1."""
    rows, columns = cleared.eye.box
    zoom = (columns.stop - columns.start) / cleared.iris.shape[1], (rows.stop - rows.start) / cleared.iris.shape[0]
    shift = [(box[1].start - columns.start + 0.5) / zoom[0] - 0.5, (box[0].start - rows.start + 0.5) / zoom[1] - 0.5]
    matrix = np.array([[1 / zoom[0], 0, shift[0]], [0, 1 / zoom[1], shift[1]]])
    size = box[1].stop - box[1].start, box[0].stop - box[0].start
    return cv2.warpAffine(cleared.iris, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _box(
    points: Points, radius: float, place: tuple[float, float], reach: float, shape: tuple[int, ...]
) -> tuple[slice, slice] | None:
    centre = points[0].astype(np.float64) + radius * np.array(place)
    (left, top), (right, bottom) = np.floor(centre - reach * radius), np.ceil(centre + reach * radius) + 1
    rows = slice(max(0, int(top)), min(shape[0], int(bottom)))
    columns = slice(max(0, int(left)), min(shape[1], int(right)))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def _lobe(x: Plane, y: Plane, film: Plane, pixels: float, lamp: LampShape) -> Plane:
    """A superellipse with a soft, ragged edge, 0..1, foreshortened where the cornea turns away.

    ``x`` and ``y`` count from its centre, in radii of its own, of so many ``pixels``.
    """
    outward = math.atan2(lamp.light.y, lamp.light.x)
    along, beside = _turned(x, y, outward)
    along *= np.float32(1 / math.sqrt(1 - _tilt(lamp.light) ** 2))
    u, v = _turned(*_turned(along, beside, -outward), lamp.turn)
    u, v = np.abs(u) * np.float32(lamp.aspect**-0.5), np.abs(v) * np.float32(lamp.aspect**0.5)
    around = np.arctan2(y, x)
    outline = np.float32(1) - np.float32(RAGGED) * (film - np.float32(0.5))
    for number, (height, phase) in zip(LOBES, lamp.waves, strict=True):
        outline += np.float32(height) * np.cos(number * around + np.float32(phase))
    distance = cv2.pow(cv2.pow(u, lamp.roundness) + cv2.pow(v, lamp.roundness), 1 / lamp.roundness)
    edge = max(SOFTNESS, 0.7 / pixels)
    inward = np.clip((outline - distance) * np.float32(0.5 / edge) + np.float32(0.5), 0, 1)
    lit = inward * inward * (3 - 2 * inward)
    fine = np.float32(1 / max(INNER_SOFTNESS, 0.7 / pixels))
    if lamp.hole:
        lit *= np.clip((distance - np.float32(lamp.hole)) * fine + np.float32(0.5), 0, 1)
    if lamp.bars:
        lit *= np.clip((np.minimum(u, v) - np.float32(BAR)) * fine + np.float32(0.5), 0, 1)
    return lit


def _turned(x: Plane, y: Plane, angle: float) -> tuple[Plane, Plane]:
    cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return x * cosine + y * sine, y * cosine - x * sine
