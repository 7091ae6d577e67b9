"""What may be wrong with a cut-out, as numbers: true alphas stay within the bounds of ``config/quality.py``."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Mask, Plane, Rgb8, Rgba8
from relight_assets.core.color import planes_of
from relight_assets.core.rounding import rounded
from relight_assets.stages.masks.matting.sizes import disc, fitted, shrunk

STEP = 0.05
"""Gradient of alpha per pixel, of 1, from which on it is a step."""
FLAT = 4.0
"""Gradient of color, display levels per pixel, under which a photo shows nothing."""
TILE, REACH = 128, 3
"""Side of the parts that alpha and photo are compared in, and what they need of those beside, pixels."""
SPECKLE_SIGMA = 2.0
"""Pixels; what is finer is speckle, or hair."""
SPECKLE_SIDE = 1024
"""Longest side that speckle is compared with, pixels."""
THICK_SIDE, RIM_SIDE = 384, 256
"""Longest sides that see-through parts, and the colors beside an edge, are measured at, pixels."""
THICK_RADIUS = 6
"""Of the disc that fits into a see-through part: larger than the softness of hair."""
SEE_THROUGH = (51, 204)
"""Alphas, levels, between which a thick part is see-through."""
HALF = (26, 230)
"""Alphas, levels, between which a pixel is neither person nor background."""
RIM_RADII = (2, 5, 16)
"""Half the windows that colors beside an edge are taken from, narrowest first, pixels: the first that has some."""
RIM_CONTRAST = 48.0
"""Distance, display levels, that person and background must have for a rim to be seen."""
SAMPLES = 5_000
"""Half-transparent pixels that are enough for a mean."""
_SOME = 25.5
"""Mean weight of a window, levels, from which on it has some of a side: a tenth."""
_SOBEL = np.float32(1 / 8)
"""Sobel's sums over the gradient per pixel."""


@dataclass(frozen=True)
class CutoutMetrics:
    """What may be wrong with one cut-out."""

    cutout_stairs: float
    """Share of alpha's gradient that is a step where the photo shows none, 0..1."""
    cutout_speckle: float
    """How fine alpha's detail is, against that of the same alpha at 1024 pixels; 1 where the photo is no larger."""
    cutout_see_through: float
    """Parts that are half there over more than any softness, as a share of the person, 0..1."""
    cutout_rim: float
    """How far half-transparent pixels go from the person's colors to the background's, -1..1."""

    def plain(self) -> dict[str, Any]:
        """For the record, rounded to 6 decimals."""
        return rounded(asdict(self))


def measure_cutout(rgb: Rgb8, foreground: Rgba8) -> CutoutMetrics:
    """Measure an (H, W, 3) uint8 photo's (H, W, 4) uint8 foreground."""
    alpha = cv2.extractChannel(foreground, 3)
    return CutoutMetrics(stairs(rgb, alpha), speckle(alpha), see_through(alpha), rim(rgb, foreground))


def stairs(rgb: Rgb8, alpha: Gray8) -> float:
    """Sum of |grad alpha| where it is a step and no color of 5x5 pixels changes, over the sum of all; 0 without edge.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        alpha: (H, W) uint8.
    """
    parts = [
        _steps(rgb, alpha, top, left)
        for top in range(0, alpha.shape[0], TILE)
        for left in range(0, alpha.shape[1], TILE)
    ]
    total = sum(gradient for _, gradient in parts)
    return min(1.0, sum(hidden for hidden, _ in parts) / total) if total > 0 else 0.0


def _steps(rgb: Rgb8, alpha: Gray8, top: int, left: int) -> tuple[float, float]:
    """Of a part: the sum of alpha's gradient that the photo does not show, and of all of it."""
    part = np.s_[max(0, top - REACH) : top + TILE + REACH, max(0, left - REACH) : left + TILE + REACH]
    if alpha[part].min() == alpha[part].max():
        return 0.0, 0.0
    inner = np.s_[top - part[0].start :, left - part[1].start :]
    steepness = _gradient(alpha[part])[inner][:TILE, :TILE]
    steps = cv2.compare(steepness, STEP * 255, cv2.CMP_GT)
    if cv2.hasNonZero(steps):
        shown = cv2.dilate(_changes(rgb[part]), np.ones((5, 5), np.uint8))[inner][:TILE, :TILE]
        steps &= cv2.bitwise_not(shown)
    return cv2.mean(steepness, steps)[0] * cv2.countNonZero(steps), cv2.sumElems(steepness)[0]


def _changes(rgb: Rgb8) -> Gray8:
    """255 where the gradient of a color is ``FLAT`` or more; in whole numbers, four times as quick as in floats."""
    found = np.zeros(rgb.shape[:2], np.uint8)
    for plane in planes_of(rgb):
        across, down = (cv2.convertScaleAbs(each) for each in cv2.spatialGradient(plane))
        squares = (np.multiply(each, each, dtype=np.uint16) for each in (across, down))
        found |= cv2.compare(cv2.add(*squares), (FLAT / float(_SOBEL)) ** 2, cv2.CMP_GE)
    return found


def speckle(alpha: Gray8) -> float:
    """Fineness of (H, W) uint8 alpha over that of the same at 1024 pixels: a photo's grain has none there.

    Fineness is the sum of |grad alpha| over that of alpha blurred by 2 pixels.
    """
    size = fitted(alpha.shape, SPECKLE_SIDE)
    if size == alpha.shape[::-1]:
        return 1.0
    return _fineness(alpha) / _fineness(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))


def _fineness(alpha: Gray8) -> float:
    below = cv2.sumElems(_gradient(cv2.GaussianBlur(alpha, (0, 0), SPECKLE_SIGMA)))[0]
    return cv2.sumElems(_gradient(alpha))[0] / below if below > 0 else 1.0


def see_through(alpha: Gray8) -> float:
    """At 384 pixels: (H, W) uint8 alpha that is half there over a disc of radius 6, over the pixels of the person."""
    small = shrunk(alpha, THICK_SIDE)
    radius = max(1, round(THICK_RADIUS * max(small.shape) / THICK_SIDE))
    # Beyond the photo there is no doubt: a disc may not hang over the border.
    framed = cv2.copyMakeBorder(cv2.inRange(small, *SEE_THROUGH), *(radius,) * 4, cv2.BORDER_CONSTANT, value=0)
    thick = cv2.morphologyEx(framed, cv2.MORPH_OPEN, disc(radius))
    return min(1.0, cv2.countNonZero(thick) / max(1, int(np.count_nonzero(small > 127))))


def rim(rgb: Rgb8, foreground: Rgba8) -> float:
    """The mean of (F - P) (B - P) / |B - P|^2 over half-transparent pixels, each within -1..1, weighted by alpha.

    Person P and background B are the means of the photo where alpha is 255 and 0 around the pixel; it counts where they
    differ by ``RIM_CONTRAST`` or more.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        foreground: (H, W, 4) uint8 RGBA.
    """
    alpha = cv2.extractChannel(foreground, 3)
    half = np.flatnonzero(cv2.inRange(alpha, *HALF).view(np.bool_))
    half = half[:: max(1, half.size // SAMPLES)]
    if not half.size:
        return 0.0
    size = fitted(alpha.shape, RIM_SIDE)
    small, cover = (cv2.resize(image, size, interpolation=cv2.INTER_NEAREST) for image in (rgb, alpha))
    rows, columns = np.divmod(half, alpha.shape[1])
    at = rows * size[1] // alpha.shape[0] * size[0] + columns * size[0] // alpha.shape[1]
    person, near_person = _beside(small, cv2.inRange(cover, 255, 255), at)
    behind, near_behind = _beside(small, cv2.inRange(cover, 0, 0), at)
    towards, there = behind - person, foreground.reshape(-1, 4)[half]
    squared = np.einsum("nc,nc->n", towards, towards)
    along = np.einsum("nc,nc->n", there[:, :3] - person, towards) / np.maximum(squared, 1)
    weight = there[:, 3] * ((squared > RIM_CONTRAST**2) & near_person & near_behind).astype(np.float64)
    return float((np.clip(along, -1, 1) * weight).sum() / weight.sum()) if weight.any() else 0.0


def _beside(small: Rgb8, where: Gray8, at: NDArray[np.intp]) -> tuple[Plane, Mask]:
    """Mean colors, (N, 3), of some pixels around each of N numbers of pixels, and whether there are any, (N,)."""
    kept = cv2.merge([*planes_of(cv2.bitwise_and(small, small, mask=where)), where])
    colors, near = np.zeros((at.size, 3), np.float32), np.zeros(at.size, np.bool_)
    for radius in RIM_RADII:
        window = (2 * radius + 1, 2 * radius + 1)
        means = cv2.boxFilter(kept, cv2.CV_32F, window, borderType=cv2.BORDER_CONSTANT).reshape(-1, 4)
        left = np.flatnonzero(~near)
        means = means.take(at[left], 0)
        some = means[:, 3] > _SOME
        colors[left[some]] = means[some, :3] * (np.float32(255) / means[some, 3:])
        near[left[some]] = True
    return colors, near


def _gradient(plane: Gray8) -> Plane:
    """(H, W) float32: levels per pixel."""
    across, down = cv2.spatialGradient(plane)
    return cv2.magnitude(across.astype(np.float32), down.astype(np.float32)) * _SOBEL
