"""Medians and quantiles of finite numbers, as NumPy's: it partitions floats in six times as long as it sorts them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def median(values: Floats) -> np.float32:
    """The middle one of N numbers of any shape, at least one; of an even count the mean of the two in the middle."""
    ordered = np.sort(values, axis=None)
    half = ordered.size // 2
    return np.float32(ordered[half] if ordered.size % 2 else (ordered[half - 1] + ordered[half]) / 2)


def quantile(values: Floats, share: float) -> float:
    """The value that a share of the numbers, 0..1, is below; between two of them by linear interpolation, float32."""
    ordered = np.sort(values, axis=None)
    place = share * (ordered.size - 1)
    below = int(place)
    low, high, part = ordered[below], ordered[min(below + 1, ordered.size - 1)], place - below
    return float(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))


def quantiles(values: Floats, shares: Sequence[float]) -> NDArray[np.float64]:
    """Several of them, interpolated in double precision."""
    ordered = np.sort(values, axis=None)
    places = np.array(shares) * (ordered.size - 1)
    below = places.astype(np.intp)
    low, high, part = ordered[below], ordered[np.minimum(below + 1, ordered.size - 1)], places - below
    return np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))
