"""Is the face of a photo sharp, and is there light on it to learn?"""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Mask, Points, Rgb8
from relight_assets.core.color import decode, luminance

SHARPNESS_SIDE = 256
"""Pixels of the longest side that sharpness is measured at, at most; what is smaller is not enlarged.

At 512 photos that were enlarged before, and do look sharp, are no better than blurred ones.
"""
MIN_PIXELS = 256
"""Pixels inside a mask, below which sharpness is not measured."""
LIGHT_SIGMA = 0.1
"""Sigma of what counts as light and not as features, in units of the root of the region's area."""
LUMINANCE_FLOOR = 0.004
"""Linear luminance that is added before the logarithm."""


def face_crop(rgb: Rgb8, face: Points) -> tuple[Rgb8, Mask]:
    """The rectangle of a face, and where in it the face is.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        face: (N, 2 or more) float32 points, x right and y down in pixels.
    """
    hull = cv2.convexHull(np.ascontiguousarray(face[:, :2], np.float32))
    x, y, width, height = _within(cv2.boundingRect(hull), rgb.shape)
    drawn = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(drawn, np.rint(hull - np.array((x, y), np.float32)).astype(np.int32), 1)
    return rgb[y : y + height, x : x + width], drawn > 0


def person_crop(rgb: Rgb8, alpha: Gray8) -> tuple[Rgb8, Mask]:
    """The rectangle of the person, alpha above 127, and where in it the person is."""
    person = cv2.compare(alpha, 127, cv2.CMP_GT)
    x, y, width, height = cv2.boundingRect(person)
    part = np.s_[y : y + height, x : x + width]
    return rgb[part], person[part] > 0


def sharpness(rgb: Rgb8, inside: Mask) -> float | None:
    """The variance of the Laplacian over the variance of the photo, of gray display values inside a mask.

    The quotient is what makes it fair: darker skin has less of both (Pech-Pacheco et al., ICPR 2000, has the variance
    alone).

    Args:
        rgb: (H, W, 3) uint8 sRGB, a crop.
        inside: (H, W) bool.

    Returns:
        0 where everything is one gray; None where the mask is a few pixels.
    """
    if not inside.any():
        return None
    gray, mask = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), inside.astype(np.uint8)
    while max(gray.shape) > 2 * SHARPNESS_SIDE:
        gray = cv2.resize(gray, (gray.shape[1] // 2, gray.shape[0] // 2), interpolation=cv2.INTER_AREA)
    if (scale := SHARPNESS_SIDE / max(gray.shape)) < 1:  # skips no pixels, and is six times as quick
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    mask = cv2.resize(mask, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
    mask = cv2.erode(mask, np.ones((5, 5), np.uint8), borderValue=0)
    if cv2.countNonZero(mask) < MIN_PIXELS:
        return None
    detail, whole = (
        float(cv2.meanStdDev(plane, mask=mask)[1][0, 0]) for plane in (cv2.Laplacian(gray, cv2.CV_16S), gray)
    )
    return (detail / whole) ** 2 if whole > 0 else 0.0


def light_contrast(rgb: Rgb8, inside: Mask) -> float:
    """The standard deviation of slow changes of log luminance inside a mask, stops; 0 where there is none.

    Args:
        rgb: (H, W, 3) uint8 sRGB; a hundred pixels of a face are enough.
        inside: (H, W) bool.
    """
    if not inside.any():
        return 0.0
    mask = inside.astype(np.float32)
    sigma = max(0.5, LIGHT_SIGMA * float(np.sqrt(np.count_nonzero(inside))))
    logs = cv2.log(luminance(decode(rgb)) + np.float32(LUMINANCE_FLOOR)) * mask
    slow, weight = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (logs, mask))
    return float((slow[inside] / weight[inside]).std(dtype=np.float64) / np.log(2))


def _within(box: Sequence[int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of a rectangle (x, y, width, height) that is in the photo."""
    x, y, width, height = box
    left, top = min(max(0, x), shape[1]), min(max(0, y), shape[0])
    right, bottom = min(max(left, x + width), shape[1]), min(max(top, y + height), shape[0])
    return left, top, right - left, bottom - top
