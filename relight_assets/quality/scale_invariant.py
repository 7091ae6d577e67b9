"""Scale-invariant errors: a constant factor does not count, as one image does not show how bright its lamp was."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


def squared_error(true: Array, estimate: Array) -> float:
    """The sum of squared differences of two (N,) arrays, the estimate scaled as suits it best."""
    true, estimate = true.astype(np.float64), estimate.astype(np.float64)
    squares = float((estimate * estimate).sum())
    scale = float((true * estimate).sum()) / squares if squares > 1e-5 else 0.0
    return float(np.square(true - scale * estimate).sum())


def scale_invariant_error(true: Array, estimate: Array, mask: Mask) -> float:
    """Squared error over that of the true squares (si-MSE), the estimate scaled as suits it best; (H, W) arrays."""
    return squared_error(true[mask], estimate[mask]) / max(float(np.square(true[mask], dtype=np.float64).sum()), 1e-12)


def inconsistency(one: Array, other: Array, mask: Mask) -> float:
    """How far two estimates of one person under two lights are apart; needs no truth.  0: the light is all gone."""
    return 0.5 * (scale_invariant_error(one, other, mask) + scale_invariant_error(other, one, mask))
