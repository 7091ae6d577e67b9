"""What the stages compute at reduced size or in whole numbers, computed as defined: full size, float64, plain sums."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Plane = NDArray[np.float64]


def gaussian(plane: NDArray[np.float32], sigma: float) -> Plane:
    """A Gaussian of an image mirrored at its border: a product with the cosine transform, without any cut-off."""
    rows, columns = (np.pi * np.arange(side) / side for side in plane.shape)
    spectrum = dctn(plane.astype(np.float64), norm="ortho")
    return idctn(spectrum * np.exp(-0.5 * sigma**2 * (rows[:, None] ** 2 + columns[None] ** 2)), norm="ortho")


def masked_gaussian(plane: NDArray[np.float32], mask: NDArray[np.float32], sigma: float) -> Plane:
    """The mean over mask pixels, weighted by a Gaussian; nothing is beyond the image."""

    def blurred(values: Plane) -> Plane:
        down, across = (
            np.exp(-0.5 * (np.subtract.outer(np.arange(side), np.arange(side)) / sigma) ** 2) for side in values.shape
        )
        return down @ values @ across

    return blurred(plane.astype(np.float64) * mask) / np.maximum(blurred(mask.astype(np.float64)), 1e-12)


def box(plane: NDArray[np.floating], radius: int, mode: str) -> Plane:
    """Window sums; beyond the border zero ("constant") or mirrored ("symmetric")."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if axis == each else (0, 0) for each in (0, 1)]
        total = np.cumsum(np.pad(plane.astype(np.float64), pad, mode=mode), axis=axis)
        first, last = (np.take(total, np.arange(plane.shape[axis]) + at, axis=axis) for at in (0, 2 * radius + 1))
        # The one pixel too many that symmetric padding puts in front is in both sums.
        plane = last - first
    return plane


def masked_guided(plane: NDArray[np.float32], mask: NDArray[np.float32], radius: int, epsilon: float) -> Plane:
    """The guided filter of an image by itself, each mean over mask pixels only."""
    weight, values = mask.astype(np.float64), plane.astype(np.float64)
    share = np.maximum(box(weight, radius, "constant"), 1e-12)

    def mean(each: Plane) -> Plane:
        return box(each * weight, radius, "constant") / share

    variance = mean(values**2) - mean(values) ** 2
    slope = variance / (variance + epsilon)
    return mean(slope) * values + mean(mean(values) * (1 - slope))


def errors(
    found: NDArray[np.floating], exactly: Plane, where: NDArray[np.bool_] | None = None, spread: float | None = None
) -> tuple[float, float]:
    """Root mean square error in units of ``spread`` (the exact values' own where none is given), and the largest."""
    chosen = np.ones(exactly.shape, bool) if where is None else where
    difference = (found - exactly)[chosen]
    unit = exactly[chosen].std() if spread is None else spread
    return float(np.sqrt((difference**2).mean()) / unit), float(np.abs(difference).max())
