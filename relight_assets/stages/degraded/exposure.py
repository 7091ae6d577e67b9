"""How bright a light is made on a person, and how much it changes the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.core.color import LUMINANCE_WEIGHTS, highlight_rolloff, luminance_of_planes, safe_ratio
from relight_assets.core.rounding import rounded
from relight_assets.stages.degraded.defects import LUMINANCE_FLOOR
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.light_sampler import Shading

ROLLOFF_START, ROLLOFF_TOP = 0.8, 0.97
"""Linear light at which highlights begin to be compressed, and which they approach: no channel is ever clipped."""
LIT_SHARE, LIT_WEIGHT = 0.4, 0.2
"""Share of the face's skin that counts as its lit part, and that part's weight in the exposure."""
MAX_STOPS = 4.3
"""Largest exposure correction of a light, stops either way."""
MAX_MEAN_CHANGE = 0.9
"""Largest mean change of the person's brightness, stops."""
_WEIGHTS = np.array(LUMINANCE_WEIGHTS, np.float32)


@dataclass(frozen=True)
class Exposed:
    """A light as bright as the photo's own."""

    shading: Shading
    gain: float
    """The factor by which it was made brighter."""
    strength: float
    """Of the pair: the standard deviation of :func:`stops_of_change`, to 6 decimals."""


def exposed(scene: Scene, shading: Shading, exposure: float) -> Exposed:
    """Make a light as bright as the photo's own.

    Args:
        scene: the person.
        shading: the light.
        exposure: against the photo, EV.
    """
    gain = _gain(scene, shading, exposure)
    change = stops_of_change(scene, shading, gain)
    mean = float(change.mean(dtype=np.float64))
    if abs(mean) > MAX_MEAN_CHANGE:
        gain *= 2.0 ** (math.copysign(MAX_MEAN_CHANGE, mean) - mean)
        change = stops_of_change(scene, shading, gain)
    highlight = None if shading.highlight is None else shading.highlight * np.float32(gain)
    scaled = Shading(shading.light * np.float32(gain), highlight, shading.numbers)
    return Exposed(scaled, gain, float(rounded(float(change.std(dtype=np.float64)))))


def rolloff(planes: Sequence[Plane]) -> Plane:
    """Return the factor (h, w) that brings highlights below 1, for three (h, w) planes, linear."""
    return highlight_rolloff(planes, ROLLOFF_START, ROLLOFF_TOP)


def stops_of_change(scene: Scene, shading: Shading, gain: float = 1.0) -> NDArray[np.float32]:
    """Return log2(degraded / photo), luminance, of the person's N samples: (N,) float32.

    Its standard deviation is the strength of the pair.
    """
    # As images one pixel wide.
    lit = scene.sampled(scene.albedo) * scene.sampled(shading.light)
    if shading.highlight is not None:
        lit += scene.sampled(shading.highlight)
    planes = cv2.split((lit * np.float32(gain))[:, None])
    degraded = luminance_of_planes(planes) * rolloff(planes)
    photo = scene.sampled(scene.photo_light)[:, None]
    return np.log2(safe_ratio(degraded + LUMINANCE_FLOOR, photo + LUMINANCE_FLOOR)).ravel()


def _gain(scene: Scene, shading: Shading, exposure: float) -> float:
    # Brightness is measured twice, over the face's skin and over its best lit part, in the photo and
    # now; their geometric mean is kept, times 2^exposure.  By the first alone the lit part of a
    # hard shadow comes out too bright, by the second alone all else too dark, and either would
    # reveal the family.  Highlights count over the whole skin only: in its lit part they
    # would darken all that has none.  Hair and cloth do not count: their share of a picture says nothing of its light,
    # and the albedo is anchored on the same skin.
    anchor = scene.anchor_samples
    light = shading.light.reshape(-1, 3)[anchor]
    irradiance, photo = light @ _WEIGHTS, scene.photo_light.ravel()[anchor]
    lit = irradiance >= np.quantile(irradiance, 1 - LIT_SHARE)
    matt = (scene.albedo.reshape(-1, 3)[anchor] * light) @ _WEIGHTS
    whole = matt if shading.highlight is None else matt + shading.highlight.reshape(-1, 3)[anchor] @ _WEIGHTS
    stops = 0.0
    for now, wanted, weight in ((matt[lit], photo[lit], LIT_WEIGHT), (whole, photo, 1 - LIT_WEIGHT)):
        before, after = (max(float(part.mean(dtype=np.float64)), 1e-4) for part in (wanted, now))
        stops += weight * math.log2(before / after)
    return math.pow(2.0, min(max(stops + exposure, -MAX_STOPS), MAX_STOPS))
