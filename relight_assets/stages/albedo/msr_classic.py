"""Multi-scale retinex as the earlier scripts had it, kept to be compared with.

Per channel, on display values, without a mask, stretched to the full range (Jobson, Rahman, Woodell, IEEE TIP 1997; the
stretch is that of Petro, Sbert and Morel, IPOL 2014).  It turns skin gray and bleaches faces.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Rgba8

CLIPPED = 0.01
"""Share of the values at each end that the stretch gives up."""


def msr_classic(foreground: Rgba8, scales: Sequence[float]) -> NDArray[np.uint8]:
    """The albedo of a (H, W, 4) uint8 RGBA foreground; (H, W, 3) uint8 sRGB, 0 where alpha is 0.

    ``scales`` are the sigmas of the surrounds, pixels.
    """
    alpha = cv2.extractChannel(foreground, 3)
    inside = alpha > 0
    image = np.zeros((*alpha.shape, 3), np.uint8)
    if not inside.any():
        return image
    for channel in range(3):
        values = cv2.extractChannel(foreground, channel).astype(np.float32) + np.float32(1)
        detail = cv2.log(values)
        for sigma in scales:
            detail -= cv2.log(_blurred(values, sigma)) / np.float32(len(scales))
        low, high = np.quantile(detail, (CLIPPED, 1 - CLIPPED))  # of all of the image, as they did
        stretched = (detail - np.float32(low)) * np.float32(255 / max(float(high - low), 1e-6))
        image[..., channel] = np.where(inside, np.rint(np.clip(stretched, 0, 255)), 0)
    return image


def _blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A Gaussian blur, of a wide one's reduced image: at full size 250 pixels take seconds."""
    height, width = values.shape
    shrink = max(1, int(sigma // 4))
    size = (max(1, width // shrink), max(1, height // shrink))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * size[0] / width, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
