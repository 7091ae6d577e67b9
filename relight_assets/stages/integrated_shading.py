"""Shading by edge-stopped integration: small changes of brightness are light, large ones paint.

Retinex in its oldest form (Land, McCann 1971; Horn 1974; with the colour test of Grosse et al.,
ICCV 2009): differences between neighbours that come with a change of colour, or are large, belong
to the surface; the rest is integrated and is the shading.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

COLOR_STEP = 0.06
"""Change of log chromaticity between neighbours that tells paint.  A larger one takes dark hair for shade
and turns the face beside it gray."""
LIGHT_STEP = 0.6
"""Change of log luminance between neighbours that tells paint."""
ROUNDS = 6


def integrated_shading(log_light: Plane, log_red: Plane, log_blue: Plane, weight: Plane) -> Plane:
    """Integrate what is light.

    Args:
        log_light: (h, w) float32, ln luminance; any value where ``weight`` is 0.
        log_red: ln R/G, likewise.
        log_blue: ln B/G, likewise.
        weight: (h, w) float32 in 0..1, above .5 inside the mask.

    Returns:
        (h, w) float32, ln shading up to a constant; beyond the mask its smooth continuation.
        h and w must be even.
    """
    inside = weight > 0.5
    eigenvalues = _laplace_eigenvalues(log_light.shape)
    gradients, known = [], []
    for axis in (0, 1):
        step = np.diff(log_light, axis=axis)
        color = np.diff(log_red, axis=axis) ** 2 + np.diff(log_blue, axis=axis) ** 2
        paint = (color > COLOR_STEP**2) | (np.abs(step) > LIGHT_STEP)
        both = np.diff(inside.astype(np.int8), axis=axis) == 0
        both &= inside[1:] if axis == 0 else inside[:, 1:]
        gradients.append(np.where(paint, 0, step).astype(np.float32) * both)
        known.append(both)
    # The solver wants a rectangle.  Beyond the mask any gradient is right, so each round takes
    # that of the round before, and the mask's edge ends up free (no flux).
    shading = np.zeros_like(log_light)
    down, across = gradients
    for round_ in range(ROUNDS):
        if round_:
            down = np.where(known[0], gradients[0], np.diff(shading, axis=0))
            across = np.where(known[1], gradients[1], np.diff(shading, axis=1))
        divergence = np.zeros_like(log_light)
        divergence[:-1] += down
        divergence[1:] -= down
        divergence[:, :-1] += across
        divergence[:, 1:] -= across
        spectrum = cv2.dct(divergence)
        spectrum *= eigenvalues
        shading = cv2.idct(spectrum)
    return shading


def _laplace_eigenvalues(shape: tuple[int, ...]) -> Plane:
    # Inverse eigenvalues of the five-point Laplacian without flux across the border; 0 for the mean.
    rows = 2 * np.cos(np.pi * np.arange(shape[0]) / shape[0]) - 2
    columns = 2 * np.cos(np.pi * np.arange(shape[1]) / shape[1]) - 2
    total = rows[:, None] + columns[None, :]
    total[0, 0] = 1.0
    inverse = 1 / total
    inverse[0, 0] = 0.0
    return inverse.astype(np.float32)
