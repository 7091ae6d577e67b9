"""Do lights stand evenly all around, as far as each photo's own light lets them?

A key light keeps away from the photo's own (``light_sampling.min_light_angle``), and photos are mostly lit from above.
So an image's light is expected in each sector in proportion to the part of it that was open to that image.  Families
whose lights are chosen by what they do to a face do not count.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.types import Interval

SECTORS = 6
"""Of the half circle above the face, counted from the right."""
PER_SECTOR, HEIGHTS = 12, 24
SHUT = 0.05
"""With less than this share of the sphere open, a light had to be taken where there was one."""

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Placed:
    """A key light, of a family, and the photo's own where it is known."""

    family: str
    light: Vector
    source: Vector | None
    patterned: bool = False
    """It falls through a pattern."""


@dataclass(frozen=True)
class Spread:
    """How many lights from above stand in each sector, and how many should: (SECTORS,) float64 each."""

    found: NDArray[np.float64]
    expected: NDArray[np.float64]

    @property
    def off(self) -> float:
        """The largest difference, in standard deviations of a count."""
        return float((np.abs(self.found - self.expected) / np.sqrt(np.maximum(self.expected, 1.0))).max())


def spread(placed: Iterable[Placed], recipe: Recipe) -> Spread:
    """Count the lights from above, whose share is not thinned out."""
    found, expected = np.zeros(SECTORS), np.zeros(SECTORS)
    for each in placed:
        family = recipe.degradation.key_lights.get(each.family)
        if family is None or each.light[1] > 0:
            continue
        if family.even_lights == "none" or (family.even_lights == "patterned" and not each.patterned):
            continue
        shares = _open(each, recipe, family.even_elevations)
        if shares.sum() >= SHUT:
            expected += shares / shares.sum()
            found[min(SECTORS - 1, int(math.atan2(-each.light[1], each.light[0]) / math.pi * SECTORS))] += 1
    return Spread(found, expected)


def _open(placed: Placed, recipe: Recipe, evenly: Interval) -> NDArray[np.float64]:
    """The part of the sphere above the face, in each sector, that was open to a light: sums to at most 1."""
    if placed.source is None or recipe.light_sampling.min_light_angle == 0:
        return np.full(SECTORS, 1 / SECTORS)
    elevations = recipe.light_sampling.elevations(evenly)
    low, high = (math.sin(math.radians(end)) for end in elevations)
    heights = low + (high - low) * (np.arange(HEIGHTS) + 0.5) / HEIGHTS  # even in area
    turns = math.pi * (np.arange(SECTORS * PER_SECTOR) + 0.5) / (SECTORS * PER_SECTOR)
    flat = np.sqrt(1 - heights**2)
    x, y, z = placed.source
    cosine = np.cos(turns)[:, None] * flat * x - np.sin(turns)[:, None] * flat * y + heights * z
    free = cosine <= math.cos(math.radians(recipe.light_sampling.min_light_angle))
    return free.reshape(SECTORS, -1).mean(axis=1) / SECTORS
