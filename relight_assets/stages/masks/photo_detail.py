"""Is the face of a photo sharp, is there light on it to learn, and is the photo in color?"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Mask, Points, Rgb8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.face_features import EDGE, FEATURES
from relight_assets.stages.quantiles import quantiles

SHARPNESS_SIDE = 256
"""Pixels of the longest side that sharpness is measured at, at most; what is smaller is not enlarged.

At 512 photos that were enlarged before, and do look sharp, are no better than blurred ones.
"""
MIN_PIXELS = 256
"""Pixels inside a mask, below which sharpness is not measured."""
LIGHT_SIGMA = 0.15
"""Sigma of what counts as light and not as features, in units of the root of the region's area."""
LIGHT_RANGE, NORMAL = (0.1, 0.9), 2.563
"""Percentiles of the light whose distance is its spread: strands and beards are left out; and what it is in standard
deviations of a normal distribution."""
LUMINANCE_FLOOR = 0.004
"""Linear luminance that is added before the logarithm."""

LIT_HEIGHT = 128
"""Rows of a face, at least, that its light is measured at, where it has so many."""
MIN_BARE = 0.1
"""Share of a face's rectangle that must be bare skin for its light to be measured there alone."""

COLOR_SIZE = 45
"""Root of the person's area, pixels, that colors are compared at: what a JPEG does to them is averaged out."""
TONES = 24
"""Groups by lightness, of equal size, in each of which a toned photo has one tint."""
MIN_COLORS = 48
"""Pixels of the person below which colors tell nothing."""
TELLING = (4, 247)
"""Display levels, both included, in which all channels of a pixel must be: clipping changes a tint."""
TINTED, TINT_SHARE, MAX_TINTED = 0.7, 0.12, 2.6
"""Spread of colors, CIE units, below which a photo is black and white; what is added for each unit of its mean chroma,
since toning and JPEGs spread a strong tint more; and the most.  Of 36 portraits in color the least has 3.9 (bound 2.6),
and with half of its saturation 1.9 (1.8); in gray, sepia, selenium and cyan, as JPEGs of quality 90, all stay below."""


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


def bare_face(rgb: Rgb8, alpha: Gray8, face: Points) -> tuple[Rgb8, Mask]:
    """Some rows and columns of a face's rectangle, and where in them there is bare skin.

    That is the person without the face's rim, eyes, brows and lips; the face's person, where too little is bare.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8.
        face: (468, 2 or more) float32 points, x right and y down in pixels.
    """
    crop, inside = face_crop(rgb, face)
    x, y, _, _ = _within(cv2.boundingRect(np.ascontiguousarray(face[:, :2], np.float32)), rgb.shape)
    bare = inside.astype(np.uint8)
    for ring in FEATURES:
        feature = cv2.convexHull(face[list(ring), :2] - np.array((x, y), np.float32))
        cv2.fillConvexPoly(bare, np.rint(feature).astype(np.int32), 0)
    height = inside.shape[0]
    rim = max(1, round(EDGE * height))
    bare = cv2.erode(bare, np.ones((2 * rim + 1,) * 2, np.uint8), borderValue=0)
    step = max(1, height // LIT_HEIGHT)  # light varies slowly
    person = (alpha[y : y + height, x : x + inside.shape[1]] > 127)[::step, ::step]
    skin = (bare[::step, ::step] > 0) & person
    if np.count_nonzero(skin) < MIN_BARE * skin.size:
        skin = inside[::step, ::step] & person
    return crop[::step, ::step], skin


def light_contrast(rgb: Rgb8, inside: Mask) -> float:
    """How far slow changes of log luminance spread inside a mask, as a standard deviation in stops; 0 where none is.

    Args:
        rgb: (H, W, 3) uint8 sRGB; a hundred pixels of a face are enough.
        inside: (H, W) bool, bare skin where there is some: brows and lips are no light.
    """
    if not inside.any():
        return 0.0
    mask = inside.astype(np.float32)
    sigma = max(0.5, LIGHT_SIGMA * float(np.sqrt(np.count_nonzero(inside))))
    logs = cv2.log(luminance(decode(rgb)) + np.float32(LUMINANCE_FLOOR)) * mask
    slow, weight = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (logs, mask))
    low, high = quantiles(slow[inside] / weight[inside], LIGHT_RANGE)
    return float((high - low) / (NORMAL * np.log(2)))


def color_spread(rgb: Rgb8, inside: Mask) -> float | None:
    """How far colors are from one tint, CIE units: what of Lab's a and b does not follow from lightness.

    The root of the mean square, over groups by lightness, of what a line in lightness leaves.  A tint is 0 however
    strong it is, and wherever black cloth is; so is a gray photo.

    Args:
        rgb: (H, W, 3) uint8 sRGB; some hundred pixels along a side are enough.
        inside: (H, W) bool, the person.

    Returns:
        None where too few colors can be told.
    """
    scale = min(1.0, COLOR_SIZE / max(1.0, float(np.sqrt(np.count_nonzero(inside)))))
    size = tuple(max(1, round(side * scale)) for side in inside.shape[::-1])
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    whole = cv2.resize(inside.astype(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) == 255
    colors = small[whole & (cv2.inRange(small, (TELLING[0],) * 3, (TELLING[1],) * 3) > 0)]
    if len(colors) < MIN_COLORS:
        return None
    lab = cv2.cvtColor(colors[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0].astype(np.float64)
    groups = np.array_split(lab[np.argsort(lab[:, 0], kind="stable")], TONES)
    return float(np.sqrt(sum(_off_tint(group) for group in groups) / len(lab)))


def _off_tint(lab: NDArray[np.float64]) -> float:
    """The sum of squares that a line in lightness leaves of a and b."""
    lightness, *tints = (lab - lab.mean(axis=0)).T
    squares = float(lightness @ lightness)
    slopes = [float(lightness @ tint) / squares if squares > 0 else 0.0 for tint in tints]
    return sum(float(np.square(tint - slope * lightness).sum()) for tint, slope in zip(tints, slopes, strict=True))


def is_monochrome(chroma: float, spread: float | None) -> bool:
    """Whether a photo is black and white, or toned, by mean chroma and :func:`color_spread` of the person."""
    if spread is None:
        return chroma < TINTED
    return spread < min(MAX_TINTED, TINTED + TINT_SHARE * chroma)


def _within(box: Sequence[int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of a rectangle (x, y, width, height) that is in the photo."""
    x, y, width, height = box
    left, top = min(max(0, x), shape[1]), min(max(0, y), shape[0])
    right, bottom = min(max(left, x + width), shape[1]), min(max(top, y + height), shape[0])
    return left, top, right - left, bottom - top
