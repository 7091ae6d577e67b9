"""Diffuse reflection of a lamp that has a size."""

import numpy as np

from relight_assets.core.arrays import Plane


def wrapped_cosine(cosine: Plane, wrap: float) -> Plane:
    """Return Lambert's cosine with the terminator moved back by ``wrap``, as a lamp of some size does."""
    return np.maximum((cosine + np.float32(wrap)) * np.float32(1 / (1 + wrap)), 0)
