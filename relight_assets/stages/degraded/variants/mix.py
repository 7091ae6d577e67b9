"""A light at part of its strength: mixed with the photo in linear light, as two exposures of one frame add up."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Rgba8
from relight_assets.core.color import linear_to_srgb, planes_of, srgb_to_linear

OF_A_WHOLE_LIGHT = frozenset({"face_light", "skin_chroma", "skin_hue", "artifact_score", "eye_overlap"})
"""Numbers that were measured of a light, and are others of its mix with the photo."""
_TABLES = 32
"""Amounts whose tables are kept, 64 KiB each."""


def mixed(photo: Rgba8, degraded: Rgba8, amount: float) -> Rgba8:
    """Mix the person of the photo and the person in a light: ``(1 - amount) photo + amount degraded``, linear.

    Args:
        photo: (H, W, 4) uint8 RGBA, the foreground of the masks stage.
        degraded: (H, W, 4) uint8 RGBA, with the same alpha.
        amount: 0 gives the photo's colors, 1 those of the light.

    Returns:
        (H, W, 4) uint8 RGBA: each channel is the exact mix of the two, rounded to the nearest display level.
    """
    table = _mixes(amount)
    channels = [table[one, other] for one, other in zip(planes_of(photo)[:3], planes_of(degraded)[:3], strict=True)]
    return cv2.merge([*channels, cv2.extractChannel(degraded, 3)])


@lru_cache(maxsize=_TABLES)
def _mixes(amount: float) -> NDArray[np.uint8]:
    """The mix of each two display levels, (256, 256) uint8."""
    linear = srgb_to_linear(np.arange(256) / 255)
    mixes = (1 - amount) * linear[:, None] + amount * linear[None]
    return np.rint(linear_to_srgb(mixes) * 255).astype(np.uint8)
