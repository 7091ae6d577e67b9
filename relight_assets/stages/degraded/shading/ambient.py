"""Which part of a light comes from no lamp.

Most of what a light goes through is a factor on all of it (hair, compression, aim, exposure, patterns over two
families), so a share, once known, stays.
"""

import numpy as np

from relight_assets.core.arrays import LinearRgb
from relight_assets.core.color import safe_ratio
from relight_assets.stages.degraded.light_sampler import AmbientShare, Shading

LEAST_LIGHT = 1e-6
"""Light, linear, that counts where there is none."""


def share_of(ambient: LinearRgb, whole: LinearRgb) -> LinearRgb:
    """Return ambient light over all light, both (h, w, 3) float32: 0..1."""
    return np.clip(safe_ratio(ambient, whole, LEAST_LIGHT), 0, 1)


def ambient_light(shading: Shading) -> LinearRgb:
    """Return what of a light comes from no lamp, (h, w, 3) float32."""
    return np.zeros_like(shading.light) if shading.ambient is None else shading.light * shading.ambient()


def blended(one: Shading, other: Shading, amount: LinearRgb) -> AmbientShare:
    """The share in ``one + amount * (other - one)``; ``amount`` is (h, w, 1) float32 in 0..1."""

    def share() -> LinearRgb:
        ambient = ambient_light(one)
        return share_of(
            ambient + amount * (ambient_light(other) - ambient), one.light + amount * (other.light - one.light)
        )

    return share
