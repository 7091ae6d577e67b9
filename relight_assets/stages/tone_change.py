"""How the tone of a whole person changes from photo to degraded picture: color, saturation and contrast."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb, Mask, Plane, Rgb8
from relight_assets.core.color import largest_channel, smallest_channel
from relight_assets.stages.quantiles import quantiles

FLOOR = 1e-4
"""Linear light that a mean counts as, at least."""
DARKEST = 8
"""Display level below which a color counts as that dark, so that noise has no saturation."""


@dataclass(frozen=True)
class Tone:
    """Of a person, or how it changed."""

    red_green: float
    """ln of mean red over mean green, linear light."""
    blue_green: float
    """ln of mean blue over mean green."""
    saturation: float
    """Mean of (max - min) / max of display values, 0..1."""
    shadow_contrast: float
    """From the tenth percentile of luminance to the median, stops."""
    light_contrast: float
    """From the median to the ninetieth percentile, stops."""

    def __sub__(self, other: "Tone") -> "Tone":
        return Tone(
            self.red_green - other.red_green,
            self.blue_green - other.blue_green,
            self.saturation - other.saturation,
            self.shadow_contrast - other.shadow_contrast,
            self.light_contrast - other.light_contrast,
        )


def tone_of(image: Rgb8, linear: LinearRgb, stops: Plane, person: Mask) -> Tone:
    """Measure an image.

    Args:
        image: (H, W, 3) uint8 sRGB.
        linear: (H, W, 3) float32, the same as linear light.
        stops: (H, W) float32, log2 of its luminance.
        person: (H, W) bool, some of which is true.
    """
    red, green, blue = np.log(np.maximum(cv2.mean(linear, person.astype(np.uint8))[:3], FLOOR)).tolist()
    # Of bytes, and chosen afterwards: a third of the time of the person's pixels as floats.
    most, least = (channel(image)[person].astype(np.float32) for channel in (largest_channel, smallest_channel))
    saturation = (most - least) / np.maximum(most, DARKEST)
    dark, middle, light = quantiles(stops[person], (0.1, 0.5, 0.9)).tolist()
    return Tone(red - green, blue - green, float(saturation.mean(dtype=np.float64)), middle - dark, light - middle)
