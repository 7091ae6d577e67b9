"""The albedo that a network found, brought to what every other method gives: the photo's exposure, and a shoulder."""

from collections.abc import Callable

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb, Plane, Rgba8
from relight_assets.core.color import decode, luminance, planes_of
from relight_assets.core.rounding import rounded
from relight_assets.stages.albedo.albedo import Albedo, finished, some_of

Estimate = Callable[[LinearRgb, Plane], LinearRgb]
"""Linear RGB (H, W, 3) and alpha (H, W), float32 in 0..1, to linear albedo (H, W, 3), 0 and more, at any scale."""

WIDEST = 1000.0
"""Albedo is found up to a factor; one beyond this means that there is none."""


def extract(foreground: Rgba8, estimate: Estimate) -> Albedo:
    """Have a network find the albedo of a person.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB, straight alpha.
        estimate: asked for the part of the image that holds the person.

    Returns:
        The albedo, for all pixels with alpha above 0.  One gain gives it the median luminance of the photo inside the
        mask: what is removed is the change of light, not the light.
    """
    image = np.zeros((*foreground.shape[:2], 3), np.uint8)
    x, y, width, height = cv2.boundingRect(cv2.extractChannel(foreground, 3))
    if width == 0:
        return Albedo(image, {"method": "learned", "gain": 1.0})
    window = (slice(y, y + height), slice(x, x + width))
    alpha = cv2.extractChannel(foreground[window], 3)
    linear = decode(np.ascontiguousarray(foreground[window][..., :3]))
    found = estimate(linear, alpha.astype(np.float32) * np.float32(1 / 255))
    _, mask = cv2.threshold(alpha, 127 if (alpha > 127).any() else 0, 1, cv2.THRESH_BINARY)
    some = some_of(mask)
    before, after = (float(np.median(luminance(each)[some])) for each in (linear, found))
    gain = float(np.clip(before / max(after, 1e-6), 1 / WIDEST, WIDEST)) if before > 0 else 1.0
    del linear  # memory counts at full size
    found *= np.float32(gain)
    image[window] = finished(planes_of(found), alpha)
    return Albedo(image, {"method": "learned", "gain": rounded(gain)})
