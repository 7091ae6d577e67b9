"""Random fields with structure at several scales."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def fbm(
    rng: Generator, shape: tuple[int, int], wavelength: float, octaves: int, gain: float = 0.5
) -> NDArray[np.float32]:
    """Return fractal noise: octaves of smooth noise, each half as long and ``gain`` times as strong.

    (h, w) float32 with mean about 0 and standard deviation about 1.  ``wavelength`` is that of the
    first octave, in pixels.  How many numbers are drawn depends on the shape and the wavelength.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        cell = max(wavelength / 2**octave, 2.0)
        grid = (int(np.ceil(height / cell)) + 3, int(np.ceil(width / cell)) + 3)
        values = rng.standard_normal(grid, dtype=np.float32)
        offset = rng.random(2)
        # Cubic between the grid's points, shifted by a random part of a cell.
        matrix = np.array([[1 / cell, 0, 1 + offset[0]], [0, 1 / cell, 1 + offset[1]]], np.float64)
        field = cv2.warpAffine(
            values,
            matrix,
            (width, height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        total += np.float32(gain**octave) * field
        power += gain ** (2 * octave) * 0.66
    return total * np.float32(1 / np.sqrt(power))
