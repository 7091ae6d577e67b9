"""How the colour of a person's skin goes with its luminance: paler in bright light and sheen, deeper in shade.

Cameras desaturate what is bright, sheen is white, and shade has another light than what is lit.  Skin that is brought
to another luminance without its colour is gray or mauve; so it follows the curve of its own face.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.person import Person
from relight_assets.stages.albedo.materials.skin import Skin

STEP = 0.25
STOPS = np.arange(-3, 3 + STEP, STEP)
"""Luminance against the face's median at which the curve is known, stops."""
WIDTH = 0.3
"""Standard deviation of what is averaged for each, stops."""
REACH = 4
"""Steps on either side that count."""
PRIOR = 0.01
"""Weight, as a share of the face's pixels, of the colour at the next luminance nearer the median."""
LIFTED = (0.13, 0.20)
"""Largest change of ln R/G and ln B/G where light is added: in the dark they are mostly noise."""


@dataclass(frozen=True)
class ColorCurve:
    """ln R/G and ln B/G of a face's skin over its luminance."""

    red: NDArray[np.float64]
    blue: NDArray[np.float64]

    def at(self, light: Plane) -> tuple[Plane, Plane]:
        """The ratios at a luminance, stops against the face's median."""
        red, blue = (np.interp(light, STOPS, curve).astype(np.float32) for curve in (self.red, self.blue))
        return red, blue


def change_along(before: tuple[Plane, Plane], after: tuple[Plane, Plane], gain: Plane) -> list[Plane]:
    """What a change of luminance, stops, does to ln R/G and ln B/G, which the curve has ``before`` and ``after`` it."""
    return [
        np.where(gain > 0, np.clip(end - start, -most, most), end - start)
        for start, end, most in zip(before, after, LIFTED, strict=True)
    ]


def find_curve(person: Person, skin: Skin) -> ColorCurve:
    """The curve of a face, by its skin inside the hull."""
    relative = person.log_light[skin.sure] - np.float32(skin.level)
    weight = skin.weight[skin.sure]
    bins = np.rint((np.clip(relative, STOPS[0], STOPS[-1]) - STOPS[0]) / STEP).astype(np.intp)
    total = _spread(bins, weight)
    share = total / max(float(weight.sum(dtype=np.float64)), 1e-6)
    red, blue = (
        _outward(_spread(bins, weight * ratio[skin.sure]) / np.maximum(total, 1e-9), share, middle)
        for ratio, middle in zip(person.log_ratios, skin.color, strict=True)
    )
    return ColorCurve(red, blue)


def _spread(bins: NDArray[np.intp], values: NDArray[np.float32]) -> NDArray[np.float64]:
    # The sum of values in each bin, blurred by a Gaussian over bins.
    sums = np.bincount(bins, values, len(STOPS))
    reach = np.exp(-0.5 * np.square(STOPS[: 2 * REACH + 1] - STOPS[REACH]) / WIDTH**2)
    return np.convolve(sums, reach, "same")


def _outward(means: NDArray[np.float64], share: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    # From the median's luminance to both ends; where there are few pixels the curve goes on as it was.
    curve, centre = means.copy(), len(STOPS) // 2
    curve[centre] = (share[centre] * means[centre] + PRIOR * middle) / (share[centre] + PRIOR)
    for step, end in ((1, len(STOPS)), (-1, -1)):
        for at in range(centre + step, end, step):
            curve[at] = (share[at] * means[at] + PRIOR * curve[at - step]) / (share[at] + PRIOR)
    return curve
