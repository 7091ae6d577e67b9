"""Dither: random values within a quantisation step, added to dark levels before they are scaled up.

A display code stands for everything that was rounded to it.  Multiplied as if it were one number, the few codes of
black hair become every second or third of the codes above: a comb in the histogram, which tells a network that the
image was computed.  Noise as wide as the step fills the gaps (dither, Roberts, IRE Trans. Inf. Theory 1962).
"""

import functools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.color import SRGB_SLOPE

STEP = 1 / (255 * SRGB_SLOPE)
"""Distance of the lowest eleven display codes, linear (IEC 61966-2-1).  It is wider above, where noise then fades."""
WIDTH = 0.94
"""Noise amplitude as a share of a step; below 1, so that an unscaled code still rounds to itself."""


def dither(planes: Sequence[NDArray[np.float32]], rng: Generator) -> None:
    """Add uniform noise, the same to each of some (H, W) planes of linear light in 0..1, in place.

    What was 0 may be a little less than that afterwards.  One noise for all channels leaves hues alone.
    """
    height, width = planes[0].shape
    # Whole words of the generator, because only those are promised to stay the same in other versions of NumPy.
    words = rng.bit_generator.random_raw((height * width + 7) // 8)
    noise = cv2.LUT(words.astype("<u8").view(np.uint8)[: height * width].reshape(height, width), _offsets())
    for plane in planes:
        cv2.add(plane, noise, plane)


@functools.cache
def _offsets() -> NDArray[np.float32]:
    table = (((np.arange(256) + 0.5) / 256 - 0.5) * WIDTH * STEP).astype(np.float32)
    table.flags.writeable = False
    return table
