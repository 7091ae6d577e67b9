"""The direction of a light: elevation and azimuth, and how they are drawn."""

import math
from dataclasses import dataclass

from numpy.random import Generator

from relight_assets.config.recipe.light_sampling import LightSampling

MAX_TRIES = 64
"""Directions that are drawn until one is allowed; then the farthest of them is taken."""


@dataclass(frozen=True)
class Direction:
    """A unit vector toward a light: x right, y down, z to the camera."""

    x: float
    y: float
    z: float

    @property
    def vector(self) -> tuple[float, float, float]:
        """The three components."""
        return self.x, self.y, self.z

    def angle(self, other: "Direction") -> float:
        """Degrees between two directions, 0..180."""
        cosine = self.x * other.x + self.y * other.y + self.z * other.z
        return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def direction(elevation: float, azimuth: float) -> Direction:
    """Return the direction of an elevation (90 is toward the camera) and an azimuth (0 right, 90 above), degrees."""
    up, around = math.radians(elevation), math.radians(azimuth)
    flat = math.cos(up)
    return Direction(flat * math.cos(around), -flat * math.sin(around), math.sin(up))


def draw_direction(
    rng: Generator,
    elevations: tuple[float, float],
    sampling: LightSampling,
    away_from: Direction | None = None,
) -> Direction:
    """Draw a light, uniform in area on the part of the sphere that is allowed.

    The sine of the elevation is uniform, not the elevation: the latter crowds lights around the
    view axis.  A light from below is kept with probability ``from_below``, as rooms and skies have
    few; where the azimuth range has nothing but lights from below, one of those is taken.  Where the
    photo's own light ``away_from`` is known, none stands nearer to it than ``min_light_angle``; where
    there is no such place, the farthest of those tried is taken.
    """
    low, high = (math.sin(math.radians(end)) for end in elevations)
    farthest, kept = (False, -1.0), Direction(0.0, 0.0, 1.0)
    for _ in range(MAX_TRIES):
        height, turn, chance = rng.random(3)
        elevation = math.degrees(math.asin(min(1.0, low + (high - low) * height)))
        first, last = sampling.azimuth_range
        light = direction(elevation, first + (last - first) * turn)
        accepted = light.y <= 1e-9 or chance < sampling.from_below
        angle = 180.0 if away_from is None else light.angle(away_from)
        if accepted and angle >= sampling.min_light_angle:
            return light
        if (accepted, angle) >= farthest:
            farthest, kept = (accepted, angle), light
    return kept
