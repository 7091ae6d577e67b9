"""A panorama of light, prepared once: what lights a surface, what skin mirrors of it, and the light that stands out.

That light, a sun, a window or a lamp, is taken out of the panorama and lights the person by itself, because harmonics
of order 2 have no shadows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb
from relight_assets.core.color import luminance
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.environments import sphere

ROWS = 32
"""Rows of a panorama that are kept, and half of its columns: 5.6 degrees, less than skin's lobes are wide."""
LOBES = ((14.0, 0.6), (60.0, 0.4))
"""Exponents of the lobes by which it is blurred, and the share of each: those of skin without and with its oil."""
FOUND_BY = 30.0
"""Exponent of the lobe whose largest mean is the light that stands out."""
CONE, AROUND = 25.0, 45.0
"""Degrees from its middle that it covers at most, and up to which the median is what would be there without it."""
EDGE = 5.0
"""Width of the edge of that cone, degrees."""
SIZES = (0.04, 0.45)
"""Smallest and largest angular half size of that light, radians."""
DARKEST = 1e-6
"""Mean luminance, linear, of a panorama that is black."""


@dataclass(frozen=True)
class Environment:
    """A panorama whose mean luminance is 1, at a turn of 0."""

    harmonics: NDArray[np.float32]
    """(9, 3): irradiance over pi, without the light that stands out."""
    lobe: LinearRgb
    """The same panorama, blurred by :data:`LOBES` together, (32, 64, 3) float32."""
    key: Direction
    """Toward the light that stands out."""
    key_light: tuple[float, float, float]
    """Its irradiance over pi on what faces it, linear RGB."""
    key_size: float
    """Its angular half size, radians."""


Environments = Mapping[str, Environment]
"""The user's panoramas by file name."""
NO_ENVIRONMENTS: Environments = MappingProxyType({})


def prepared(radiance: LinearRgb) -> Environment:
    """Prepare an equirectangular panorama.

    Args:
        radiance: (n, 2 n, 3) float32, linear RGB, 0 and more, of any scale; see :mod:`.sphere` for its axes.

    Raises:
        ValueError: it is black, or too bright to be summed.
    """
    small = cv2.resize(radiance, (2 * ROWS, ROWS), interpolation=cv2.INTER_AREA)
    vectors, angles = sphere.directions(ROWS, 2 * ROWS)
    mean = float((luminance(small) * angles).sum(dtype=np.float64)) / (4 * np.pi)
    if not DARKEST < mean < np.inf:
        raise ValueError("it is black" if mean <= DARKEST else "its light is too bright to be summed")
    small = small * np.float32(1 / mean)
    share, middle = _standing_out(small, vectors)
    key = small * share[..., None]
    rest = small - key
    power = luminance(key) * angles
    total = max(float(power.sum(dtype=np.float64)), 1e-9)
    vector = (vectors * power[..., None]).sum(axis=(0, 1), dtype=np.float64)
    length = float(np.linalg.norm(vector))
    unit = vector / length if length > 1e-9 else middle
    spread = np.arccos(np.clip(vectors @ unit.astype(np.float32), -1, 1))
    size = float(np.sqrt((np.square(spread) * power).sum(dtype=np.float64) / total))
    red, green, blue = ((key * angles[..., None]).sum(axis=(0, 1), dtype=np.float64) / np.pi).tolist()
    return Environment(
        harmonics=sphere.irradiance_of(rest),
        lobe=sum((sphere.blurred(rest, power) * np.float32(share) for power, share in LOBES), np.zeros_like(rest)),
        key=Direction(*unit.tolist()),
        key_light=(red, green, blue),
        key_size=min(max(size, SIZES[0]), SIZES[1]),
    )


def _standing_out(radiance: LinearRgb, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    # The share of each pixel that the brightest light has, and its middle.
    light = luminance(radiance)
    mean = luminance(sphere.blurred(radiance, FOUND_BY))
    middle = vectors.reshape(-1, 3)[int(mean.argmax())].astype(np.float64)
    apart = np.degrees(np.arccos(np.clip(vectors @ middle.astype(np.float32), -1, 1)))
    around = light[(apart > CONE) & (apart < AROUND)]
    above = np.maximum(light - np.float32(np.median(around)), 0) / np.maximum(light, np.float32(1e-9))
    inside = np.clip((np.float32(CONE) - apart) / np.float32(EDGE), 0, 1)
    return (above * inside).astype(np.float32), middle
