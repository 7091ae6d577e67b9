"""By how much target and condition of a pair are shifted against each other, to hundredths of a pixel.

Gradient-based registration (Lucas and Kanade, IJCAI 1981) over the person, on chromaticity: light changes how bright a
pore or a wrinkle is, and on relief it does so as a shift would, by up to .4 pixel; what color a pixel has beside its
neighbors it hardly changes.  On portraits under other lights, which are not shifted, it finds .01 pixel, at most .03.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Mask, Plane, Rgb8
from relight_assets.core.color import planes_of

_Numbers = NDArray[np.float64]

OPAQUE = 250
"""Alpha from which a pixel shows the person alone."""
MARGIN = 12
"""Pixels that are left out at the edge of the person and of the picture: backgrounds differ there."""
MIN_PIXELS, MAX_PIXELS = 4096, 100_000
"""Fewer tell nothing; of more, every second or every nth is taken."""
FINE, COARSE = 0.7, 4.2
"""Deviations of the blurs, in pixels, between which detail is looked at."""
FLOOR = 16.0
"""Levels that are added before the logarithm, so that noise of dark pixels stays small."""
MAX_ERROR = 0.02
"""Standard error, in pixels, beyond which nothing is said: gray photos have no chromaticity."""
_ROUNDS = 8


class Offset(NamedTuple):
    """Where the condition shows what the target shows at the origin: pixels, x to the right, y down."""

    x: float
    y: float

    @property
    def size(self) -> float:
        """Its length in pixels."""
        return float(np.hypot(self.x, self.y))


def offset_of(target: Rgb8, condition: Rgb8, alpha: Gray8) -> Offset | None:
    """The shift of one picture against another.

    Args:
        target: (H, W, 3) uint8, sRGB.
        condition: (H, W, 3) uint8, sRGB: the same under another light, shifted by less than a pixel.
        alpha: (H, W) uint8, of the person.

    Returns:
        None where too little of a person, or too little color, is seen to tell.
    """
    where = np.flatnonzero(_inside(alpha))
    if where.size < MIN_PIXELS:
        return None
    where = where[:: -(-where.size // MAX_PIXELS)]
    slopes, changes = _equations(target, condition, where)
    weight: _Numbers = np.ones_like(changes)
    matrix: _Numbers = np.eye(6)
    solution: _Numbers = np.zeros(6)
    rest: _Numbers = changes
    for _ in range(_ROUNDS):  # reweighted (Cauchy): highlights and cast edges change chromaticity, and are no shift
        weighted = slopes * weight[:, None]
        matrix = weighted.T @ slopes
        if np.linalg.cond(matrix) > 1e8:
            return None
        solution = np.linalg.solve(matrix, weighted.T @ changes).astype(np.float64)
        rest = changes - slopes @ solution
        spread = 1.4826 * float(np.median(np.abs(rest))) + 1e-6
        weight = 1 / (1 + (rest / (2 * spread)) ** 2)
    errors = np.sqrt(np.diag(np.linalg.inv(matrix))[:2] * float(np.average(rest**2, weights=weight)))
    if float(errors.max()) > MAX_ERROR:
        return None
    return Offset(-float(solution[0]), -float(solution[1]))


def _inside(alpha: Gray8) -> Mask:
    sure = (alpha >= OPAQUE).astype(np.uint8)
    sure[:1] = sure[-1:] = sure[:, :1] = sure[:, -1:] = 0
    return cv2.erode(sure, np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)) > 0


def _equations(target: Rgb8, condition: Rgb8, where: NDArray[np.intp]) -> tuple[_Numbers, _Numbers]:
    """For each pixel of ``where`` and each of two chromaticities, the change is explained by six unknowns.

    change = -x slope_x - y slope_y + a detail + b brightness, with a and b of their own for each chromaticity: what a
    colored light does to saturation, and what it does to it in bright and dark detail.
    """
    blocks, changes = [], []
    *ratios, brightness = [(before, after) for before, after in zip(_detail(target), _detail(condition), strict=True)]
    for number, (before, after) in enumerate(ratios):
        middle = (before + after) / 2
        block = np.zeros((where.size, 6))
        block[:, 0] = cv2.Sobel(middle, cv2.CV_32F, 1, 0, scale=1 / 8).ravel()[where]
        block[:, 1] = cv2.Sobel(middle, cv2.CV_32F, 0, 1, scale=1 / 8).ravel()[where]
        block[:, 2 + number] = middle.ravel()[where]
        block[:, 4 + number] = brightness[0].ravel()[where] + brightness[1].ravel()[where]
        blocks.append(block)
        changes.append((after - before).ravel()[where].astype(np.float64))
    return np.concatenate(blocks), np.concatenate(changes)


def _detail(image: Rgb8) -> list[Plane]:
    """Detail of ln R/G, of ln B/G and of ln G, (H, W) float32 each."""
    red, green, blue = planes_of(np.log(image.astype(np.float32) + FLOOR))
    planes = (red - green, blue - green, green)
    return [cv2.GaussianBlur(each, (0, 0), FINE) - cv2.GaussianBlur(each, (0, 0), COARSE) for each in planes]
