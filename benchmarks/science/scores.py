"""Errors of an estimated albedo against a known one.

All take (H, W) or (H, W, 3) float arrays in linear light and a (H, W) bool mask, and none minds a constant factor: one
image does not tell how bright its lamp was.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relight_assets.quality.scale_invariant import Array, Mask, squared_error

WINDOW = 20
"""Pixels; as in the paper."""
FLOOR = 4e-3
"""Added before logarithms: a display level or so."""


@dataclass(frozen=True)
class Slopes:
    """What is left in an estimate: 1 all, 0 nothing."""

    shading: float
    albedo: float


def local_error(true: Array, estimate: Array, mask: Mask, window: int = WINDOW) -> float:
    """LMSE of Grosse, Johnson, Adelson and Freeman (ICCV 2009): squared error in windows that overlap by half.

    In each window the estimate may be scaled; the sum is over that of the true squares.  0 is perfect, 1 is as good as
    nothing.  (H, W) arrays.
    """
    error = total = 0.0
    for row in range(0, max(1, true.shape[0] - window + 1), window // 2):
        for column in range(0, max(1, true.shape[1] - window + 1), window // 2):
            part = np.s_[row : row + window, column : column + window]
            inside = mask[part]
            error += squared_error(true[part][inside], estimate[part][inside])
            total += float(np.square(true[part][inside], dtype=np.float64).sum())
    return error / total if total > 0 else 0.0


def grosse_score(true_albedo: Array, true_shading: Array, estimate: Array, image: Array, mask: Mask) -> float:
    """The mean of the local errors of albedo and of shading, which is the image over the albedo; (H, W) arrays."""
    shading = np.where(mask, image / np.maximum(estimate, 1e-4), 0).astype(np.float32)
    return 0.5 * local_error(true_albedo, estimate, mask) + 0.5 * local_error(true_shading, shading, mask)


def slopes(estimate: Array, true_albedo: Array, true_shading: Array, mask: Mask) -> Slopes:
    """Regression of the estimate's logarithm on those of the true shading and the true albedo; (H, W) arrays."""
    columns = [_log(true_shading)[mask], _log(true_albedo)[mask], np.ones(int(mask.sum()))]
    found = np.linalg.lstsq(np.stack(columns, axis=1), _log(estimate)[mask], rcond=None)[0]
    return Slopes(float(found[0]), float(found[1]))


def chroma_error(one: Array, other: Array, mask: Mask) -> float:
    """Mean angle between the colours of two (H, W, 3) images, degrees."""
    first, second = one[mask].astype(np.float64), other[mask].astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = (first * second).sum(axis=1)[lengths > 1e-9] / lengths[lengths > 1e-9]
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()) if cosine.size else 0.0


def _log(plane: Array) -> NDArray[np.float64]:
    return np.log(plane.astype(np.float64) + FLOOR)
