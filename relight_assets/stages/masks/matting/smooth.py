"""Alpha as smooth as the photo: no step where the photo shows none."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Rgb8
from relight_assets.core.color import planes_of

STEEP = 23
"""Range of alpha over 3x3 pixels, levels, from which on it is a step: .045 per pixel.  Pixels are the photo's here."""
FLAT = 12
"""Range of colour over 5x5 pixels, levels, under which a photo shows no edge but grain."""
FLAT_SIDE = 23
"""Of the mean that makes a ramp of a step, .043 per pixel: stairs are counted from .05 on."""
FLAT_FEATHER = 4.0
"""Sigma of where that counts."""
FLAT_REACH = 8
"""Pixels around a step that are made smooth."""
LEAST_SIDE = 256
"""Longest side of a photo in pixels, under which the three lengths shrink with it: what is left is as small as they."""


def smooth_where_flat(alpha: Gray8, rgb: Rgb8) -> Gray8:
    """Take steps out of alpha where the photo shows none: dark hair before dark, the squares of a JPEG.

    Args:
        alpha: (H, W) uint8.
        rgb: (H, W, 3) uint8 sRGB photo.
    """
    _, steep = cv2.threshold(_range(alpha, 3), STEEP, 255, cv2.THRESH_BINARY)
    if not cv2.countNonZero(steep):
        return alpha
    scale = min(1.0, max(alpha.shape) / LEAST_SIDE)
    side, reach = 1 + 2 * round(scale * (FLAT_SIDE // 2)), max(1, round(scale * FLAT_REACH))
    margin = side + reach
    left, top, width, height = cv2.boundingRect(steep)
    part = np.s_[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]
    red, green, blue = planes_of(_range(rgb[part], 5))
    colors = cv2.max(cv2.max(red, green), blue)
    _, flat = cv2.threshold(colors, FLAT - 1, 255, cv2.THRESH_BINARY_INV)
    steps = cv2.bitwise_and(steep[part], flat)
    steps = cv2.morphologyEx(steps, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if not cv2.countNonZero(steps):
        return alpha
    mended = alpha.copy()
    for x, y, across, down in boxes(cv2.dilate(steps, np.ones((4 * reach + 1,) * 2, np.uint8))):
        rows = np.s_[max(0, y - margin) : y + down + margin, max(0, x - margin) : x + across + margin]
        wide = cv2.dilate(steps[rows], np.ones((2 * reach + 1,) * 2, np.uint8)).astype(np.float32) * np.float32(1 / 255)
        weight = cv2.GaussianBlur(wide, (0, 0), scale * FLAT_FEATHER)
        weight *= np.clip(2 - colors[rows] * np.float32(1 / FLAT), 0, 1)
        before = mended[part][rows].astype(np.float32)
        blurred = cv2.blur(alpha[part][rows].astype(np.float32), (side, side))
        mended[part][rows] = np.rint(before + weight * (blurred - before)).astype(np.uint8)
    return mended


def boxes(squares: Gray8) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of each connected part of squares, one or more: (H, W) uint8, 0 beside them.

    By outlines, in a twentieth of the time of ``cv2.connectedComponentsWithStats``, and in its order, which decides a
    level where two boxes overlap: by the first of each part's blocks of 2 by 2 pixels.
    """

    def first_block(outline: NDArray[np.int32]) -> tuple[int, int]:
        columns, rows = outline[:, 0].T // 2
        return int(rows.min()), int(columns[rows == rows.min()].min())

    found, links = cv2.findContours(squares, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [outline for outline, (_, _, _, parent) in zip(found, links[0], strict=True) if parent < 0]
    return [cv2.boundingRect(outline) for outline in sorted(outer, key=first_block)]


def _range(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    window = np.ones((side, side), np.uint8)
    return cv2.subtract(cv2.dilate(image, window), cv2.erode(image, window))
