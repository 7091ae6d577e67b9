"""The colours of studio lights: linear RGB as a camera with daylight balance sees them."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.color import LUMINANCE_WEIGHTS

Rgb = tuple[float, float, float]


class GelPair(NamedTuple):
    """The gels of two lamps that photographers set against each other."""

    name: str
    one: Rgb
    other: Rgb


GEL_PAIRS: tuple[GelPair, ...] = (
    GelPair("blue_amber", (0.20, 0.50, 1.60), (1.50, 0.85, 0.25)),
    GelPair("azure_orange", (0.25, 0.80, 1.50), (1.55, 0.65, 0.25)),
    GelPair("violet_gold", (0.70, 0.48, 1.50), (1.35, 1.02, 0.35)),
    GelPair("azure_rose", (0.30, 1.00, 1.45), (1.50, 0.50, 0.70)),
)
"""Gels as swatch books have them, by eye.  Each two together are nearly white: a camera's white balance, which takes
their mean out, would turn other pairs, as blue and pink, into red and green skin."""
SCREENS: dict[str, Rgb] = {
    "computer": (0.55, 0.85, 1.35),
    "phone": (0.70, 0.92, 1.20),
    "television": (0.62, 0.72, 1.50),
}
"""White of a computer, of a phone that is dimmed in the evening, and a film on a television."""
RIMS: dict[str, Rgb] = {
    "white": (1.00, 1.00, 1.00),
    "warm": (1.45, 0.92, 0.50),
    "cool": (0.70, 0.98, 1.45),
    "pink": (1.45, 0.75, 1.00),
}
"""Lamps behind a person: flash, tungsten, sky, and a pale gel."""
SKY, GROUND = (0.62, 0.90, 1.40), (1.25, 1.00, 0.70)
"""Clear sky (about 12000 K), and sunlit sand or grass."""


def softened(color: Rgb, saturation: float) -> NDArray[np.float32]:
    """Return a colour with so much of its saturation, (3,) float32, as bright as it was."""
    full = np.array(color, np.float64)
    light = float(full @ np.array(LUMINANCE_WEIGHTS))
    return (light + (full - light) * saturation).astype(np.float32)


def one_of(rng: Generator, names: tuple[str, ...]) -> str:
    """Draw a name; all are equally frequent."""
    return names[int(rng.integers(len(names)))]
