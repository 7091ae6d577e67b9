"""Means over the pixels of a mask alone: edge-aware, over a square, and Gaussian.

All take planes of numbers and of weights, (h, w) float32, weights in 0..1.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.core.color import safe_ratio


def guided(values: Plane, weight: Plane, radius: int, epsilon: float) -> tuple[Plane, Plane]:
    """Guided filter of an image by itself (He, Sun, Tang, PAMI 2013): slope and offset of each pixel.

    Each mean is over the pixels of the mask only; ``epsilon`` is the variance at which half of an edge is kept.
    """
    inverse = safe_ratio(np.ones_like(weight), box(weight, radius))
    weighted = values * weight
    mean = box(weighted, radius) * inverse
    variance = np.maximum(box(weighted * values, radius) * inverse - mean * mean, np.float32(0))
    a = safe_ratio(variance, variance + np.float32(epsilon))
    b = mean * (1 - a)
    return box(a * weight, radius) * inverse, box(b * weight, radius) * inverse


def box(plane: Plane, radius: int) -> Plane:
    """The mean over a square, zero outside: what is beyond the crop is not the person."""
    return cv2.boxFilter(plane, -1, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_CONSTANT)


def masked_gaussian(values: Plane, weight: Plane, sigma: float) -> Plane:
    """The Gaussian mean over the pixels of the mask only; ``sigma`` in pixels."""
    # At the surrounds' size a Gaussian of 250 of 512 pixels is still wide: it is blurred smaller yet.
    height, width = values.shape
    shrink = max(1, int(np.sqrt(sigma)))
    size = (max(1, width // shrink), max(1, height // shrink))
    both = cv2.merge([values * weight, weight])
    both = cv2.resize(both, size, interpolation=cv2.INTER_AREA)
    factor = width / size[0]
    # Shrinking and growing blur as well, by a variance that is taken off here.
    variance = (sigma * sigma - (factor * factor - 1) / 12 - factor * factor / 6) / (factor * factor)
    if variance > 0.01:
        both = cv2.GaussianBlur(both, (0, 0), float(np.sqrt(variance)), borderType=cv2.BORDER_CONSTANT)
    both = cv2.resize(both, (width, height), interpolation=cv2.INTER_LINEAR)
    return safe_ratio(both[..., 0], both[..., 1])


def shrunk(image: NDArray[Any], size: tuple[int, int], ratio: int) -> NDArray[Any]:
    """An (H, W[, C]) image at a width and height, by area; halved first while it is ``ratio`` times as large."""
    # Halving is ten times quicker than shrinking by a crooked factor; an odd last row is let go.
    while min(image.shape[0] / size[1], image.shape[1] / size[0]) >= ratio:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
