"""The relief of skin, finer than its shape: without it a highlight is smooth, and skin looks like wax.

Pores and wrinkles are taken from the photo's own light and dark, and completed with noise where a photo is smooth.
"""

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import Mask, Plane
from relight_assets.core.color import safe_ratio
from relight_assets.stages.degraded.geometry.filters import smooth

FINE, COARSE = 0.002, 0.010
"""Blurs between which the photo's texture is taken, in units of the face's height h."""
PORES, PORES_PX = 0.009, 2.2
"""Wavelength of the noise: units of h, and at least so many pixels."""
NOISE_SHARE = np.float32(0.6)
"""Of the noise, whose deviation is 1; the photo's texture has 1 where the photo shows any."""
NO_TEXTURE = 0.02
"""Deviation of the texture, nepers, below which a photo is smooth and its grain counts less."""
LUMINANCE_FLOOR = np.float32(0.01)
"""Added to luminance before the logarithm, linear."""
STEEPEST = 3.0
"""Slopes are cut at so many of their root mean square: moles and hairs are paint."""


def slopes(light: Plane, skin: Mask, h: float, steepness: float, rng: Generator) -> tuple[Plane, Plane]:
    """Return what the texture adds to the slopes of a surface.

    Args:
        light: (h, w) float32 luminance of the photo, linear.
        skin: (h, w) bool, where the texture is measured.
        h: height of the face in pixels.
        steepness: root mean square of the slope on skin.
        rng: for the noise.

    Returns:
        d height / d x and d height / d y, (h, w) float32.
    """
    log = cv2.log(light + LUMINANCE_FLOOR)
    detail = smooth(log, max(FINE * h, 0.5)) - smooth(log, COARSE * h)
    deviation = 1.48 * float(np.median(np.abs(detail[skin]))) if skin.any() else 0.0
    # tanh(x) of twice the deviation by two exponentials is several times slower than this rational form.
    texture = _limited(detail * np.float32(0.5 / max(deviation, 0.01))) * np.float32(
        2 * min(1.0, deviation / NO_TEXTURE)
    )
    texture += NOISE_SHARE * _noise(rng, log.shape, max(PORES * h, PORES_PX))
    across, down = (cv2.Sobel(texture, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1)))
    squares = across * across + down * down
    mean = float(squares[skin].mean(dtype=np.float64)) if skin.any() else float(squares.mean(dtype=np.float64))
    rms = max(mean**0.5, 1e-6)
    steep, factor = np.float32(STEEPEST * rms), np.float32(steepness / rms)
    return np.clip(across, -steep, steep) * factor, np.clip(down, -steep, steep) * factor


def _limited(values: Plane) -> Plane:
    # tanh to .02, by Pade's approximation.
    clipped = np.clip(values, -3, 3)
    squares = clipped * clipped
    return safe_ratio(clipped * (27 + squares), 27 + 9 * squares)


def _noise(rng: Generator, shape: tuple[int, ...], wavelength: float) -> Plane:
    # Bytes are drawn several times quicker than normal deviates; blurred, the two are alike.
    white = rng.integers(0, 256, shape, np.uint8).astype(np.float32)
    narrow, wide = max(0.25 * wavelength, 0.45), max(0.5 * wavelength, 0.9)
    band = smooth(white, narrow) - smooth(white, wide)
    return band * np.float32(1 / max(float(band.std(dtype=np.float64)), 1e-6))
