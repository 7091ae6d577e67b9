"""The light on skin: surrounds within skin at several luminance levels, against the face's median.

A multi-scale retinex (Jobson, Rahman, Woodell, IEEE TIP 1997) whose surrounds take in skin alone.  As in a bilateral
grid (Paris, Durand, ECCV 2006) a surround is computed for a few levels of luminance, and each pixel takes the mean of
its own, so that shade does not bleed over the edge of a cast shadow.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.filters import ramp, weighted_mean, weighted_means
from relight_assets.stages.albedo.materials.highlights import Highlights
from relight_assets.stages.albedo.materials.person import Person
from relight_assets.stages.albedo.materials.skin import Skin
from relight_assets.stages.quantiles import quantiles

SIGMA = 0.062
"""Of a surround, in units of the face's height: light, not wrinkles."""
RANGE, LEVELS = 0.7, 4
"""Standard deviation of luminance within a level, stops, and how many levels there are."""
GUIDE_SIGMA = 0.025
"""Of what says which level a pixel is of."""
LIFT, CUT = 1.7, 3.0
"""Stops by which skin is lifted and lowered at most; approached, not reached."""
AWAY = 0.75
"""What of it is done on skin far from the face, which may be of another paint (lips of a glove, a tanned hand)."""
BELOW = 0.1
"""Stops under the face's median that a cut may reach."""
DARK = (-0.01, 0.035)
"""Linear luminance under which nothing is lifted, and from which everything is."""


@dataclass(frozen=True)
class SkinLight:
    """What evens the light on skin."""

    gain: Plane
    """log2 of the factor."""
    highlight: Plane
    """What of it takes highlights."""
    deviation: Plane
    """Of the light on it from the face's median, stops."""


def even_skin(person: Person, skin: Skin, highlights: Highlights) -> SkinLight:
    """Find the gain that evens the light on skin, highlights included, at the median of the face."""
    face = skin.face
    without = cv2.log(1 - highlights.share) * np.float32(1 / np.log(2))
    matt = person.log_light + without
    surround = _surround(matt, skin)
    deviation = surround - np.float32(skin.anchored(surround))
    deviation = np.where(deviation < 0, LIFT * np.tanh(deviation / LIFT), CUT * np.tanh(deviation / CUT))
    share = AWAY + (1 - AWAY) * face.blurred(highlights.region.astype(np.float32), 0.06)
    gain = without - share * deviation
    relative = person.log_light - np.float32(skin.level)
    light, around = weighted_means([person.light, relative], skin.weight, GUIDE_SIGMA * face.height, 1e-3)
    gain = np.where(gain > 0, gain * ramp(light, *DARK), gain)
    gain -= np.float32(skin.anchored(person.log_light + gain) - skin.level)
    # What was brighter than the face's median is not cut to less than that, or a highlight would become a shade.
    gain = np.maximum(gain, -np.maximum(around, 0) - np.float32(BELOW))
    return SkinLight(gain, without, deviation)


def _surround(log_light: Plane, skin: Skin) -> Plane:
    # Mean over skin near by that is as light; where there is none near by, over any skin.
    face, weight = skin.face, skin.weight + np.float32(1e-5)
    guide = weighted_mean(log_light, skin.weight, GUIDE_SIGMA * face.height)
    far = weighted_mean(log_light, skin.weight, 0.15 * face.height)
    guide = np.where(face.blurred(skin.weight, GUIDE_SIGMA) > 0.1, guide, far)
    low, high = quantiles(guide[skin.weight > 0.3][::3], (0.03, 0.97))
    step = max(float(high - low) / (LEVELS - 1), 1e-3)
    place = np.clip((guide - np.float32(low)) * np.float32(1 / step), 0, LEVELS - 1)
    anyone = weighted_mean(log_light, weight, SIGMA * face.height, 1e-3)
    found = np.zeros_like(log_light)
    for level in range(LEVELS):
        apart = (guide - np.float32(low + level * step)) * np.float32(1 / RANGE)
        alike = weight * cv2.exp(np.float32(-0.5) * apart * apart)
        over, under = (face.blurred(plane, SIGMA) for plane in (alike * log_light, alike))
        mean = (over + np.float32(0.02) * anyone) / (under + np.float32(0.02))
        found += mean * np.clip(1 - np.abs(place - np.float32(level)), 0, 1)
    return found
