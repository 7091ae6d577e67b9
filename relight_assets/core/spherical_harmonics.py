"""Irradiance of distant lights in spherical harmonics up to order 2.

Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001: the clamped
cosine has the coefficients A = pi, 2 pi / 3 and pi / 4.  By the addition theorem the nine terms of one light are three
Legendre polynomials of the cosine between normal and light.
"""

import numpy as np

from relight_assets.core.arrays import Plane

_ORDER_0, _ORDER_1, _ORDER_2 = 0.25, 0.5, 0.3125
"""Of a light whose clamped cosine is 1 where it is faced: A (2 n + 1) / (4 pi) for n = 0, 1, 2."""
_BRIGHT_QUANTILE = 0.99
"""The irradiance that counts as the light's own: one bright spot must not darken the rest."""


def irradiance(cosine: Plane, damping: tuple[float, float] = (1.0, 1.0)) -> Plane:
    """Return the irradiance of one light, float32; slightly negative where the light is behind.

    Args:
        cosine: float32 in -1..1, between normals and the light.
        damping: factors of the terms of order 1 and 2; below 1 they blur the light.
    """
    first, second = np.float32(_ORDER_1 * damping[0]), np.float32(_ORDER_2 * damping[1])
    legendre = np.float32(1.5) * cosine * cosine - np.float32(0.5)
    return np.float32(_ORDER_0) + first * cosine + second * legendre


def shading(cosine: Plane, ambient: float) -> Plane:
    """Return the shading by one light over an ambient floor, float32: about 1 where the light is faced.

    Args:
        cosine: float32 in -1..1, between normals and the light.
        ambient: share of light that comes from everywhere, 0..1.
    """
    key = np.maximum(irradiance(cosine), 0)
    lit: Plane = (ambient + (1 - ambient) * key / np.quantile(key, _BRIGHT_QUANTILE)).astype(np.float32)
    return lit
