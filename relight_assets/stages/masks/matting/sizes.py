"""The sizes that alpha is solved at, and lengths in them."""

import cv2
import numpy as np
from numpy.typing import NDArray

FIRST_SIDE, SECOND_SIDE = 384, 512
"""Longest sides of the images that alpha is solved at, pixels.  Lengths below are pixels at 384, unless said."""


def fitted(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Width and height of an image shrunk to a longest side; it is not enlarged."""
    scale = min(1.0, side / max(shape[:2]))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An (H, W[, C]) image as :func:`fitted` says.  Halving is ten times as quick as shrinking by a crooked factor."""
    size = fitted(image.shape, side)
    height, width = image.shape[:2]
    while width % 2 == height % 2 == 0 and width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = width // 2, height // 2
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) if (width, height) != size else image


def scaled(length: int, shape: tuple[int, ...]) -> int:
    """A length at 384 pixels, in a guide that may be smaller."""
    return max(1, round(length * max(shape[:2]) / FIRST_SIDE))


def disc(radius: int) -> NDArray[np.uint8]:
    """A disc as a structuring element, (2 radius + 1) squared."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
