"""Ramps, and means over a weight alone.

Planes are (h, w) float32; sigmas are pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Plane

NARROWEST = 0.35
"""A Gaussian below it changes nothing, pixels."""
GRID = 2
"""A Gaussian is computed on a grid of a third of its sigma, where it is smooth."""
GRID_BLUR = 0.25
"""Variance that shrinking and growing add, in squared pixels of that grid."""


def ramp(values: Plane, start: float, end: float) -> Plane:
    """Return 0 up to ``start``, 1 from ``end`` on, and ``t^2 (3 - 2 t)`` between."""
    t = values - np.float32(start)
    t *= np.float32(1 / (end - start))
    np.clip(t, 0, 1, out=t)
    slope = 3 - 2 * t
    t *= t
    t *= slope
    return t


def blurred(image: Plane, sigma: float) -> Plane:
    """Blur (h, w) or (h, w, C) by a Gaussian, the border repeated; a wide one at reduced size."""
    if sigma < NARROWEST:
        return image
    shrink = int(sigma / GRID)
    if shrink < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    height, width = image.shape[:2]
    size = (max(2, -(-width // shrink)), max(2, -(-height // shrink)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left = float(np.sqrt(max((sigma / shrink) ** 2 - GRID_BLUR, 0.1)))
    small = cv2.GaussianBlur(small, (0, 0), left, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def weighted_mean(values: Plane, weight: Plane, sigma: float, floor: float = 1e-4) -> Plane:
    """Gaussian mean over a weight, 0..1 (normalised convolution, Knutsson, Westin, CVPR 1993); toward 0 far from it.

    ``floor`` is the blurred weight at which it is half of that.
    """
    return weighted_means([values], weight, sigma, floor)[0]


def weighted_means(planes: Sequence[Plane], weight: Plane, sigma: float, floor: float = 1e-4) -> list[Plane]:
    """The same of several planes, whose weight is blurred but once."""
    # Plane by plane, which OpenCV blurs in a third less time than the channels of one image.
    inverse = np.float32(1) / (blurred(weight, sigma) + np.float32(floor))
    return [blurred(values * weight, sigma) * inverse for values in planes]


def disc(radius: float) -> Gray8:
    """A disc for morphology, of at least a pixel's radius."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius)) + 1,) * 2)
