"""Shading by edge-stopped integration: small changes of brightness are light, large ones paint.

Retinex in its oldest form (Land, McCann 1971; Horn 1974; with the colour test of Grosse et al.,
ICCV 2009): differences between neighbours that come with a change of colour, or are large, belong
to the surface; the rest is integrated and is the shading.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Mask, Plane

COLOR_STEP = 0.05
"""Change of log chromaticity between neighbours that tells paint.  A larger one takes dark hair for shade
and turns the face beside it gray."""
LIGHT_STEP = 0.6
"""Change of log luminance between neighbours that tells paint."""
ROUNDS = 4


@dataclass(frozen=True)
class Borders:
    """Where one paint ends and another begins, between neighbours below and beside each other."""

    paint: tuple[Mask, Mask]
    inside: tuple[Mask, Mask]
    """Both neighbours are inside the mask."""


def borders(log_light: Plane, log_red: Plane, log_blue: Plane, weight: Plane) -> Borders:
    """Tell paint from light.

    Args:
        log_light: (h, w) float32, ln luminance; any value where ``weight`` is 0.
        log_red: ln R/G, likewise.
        log_blue: ln B/G, likewise.
        weight: (h, w) float32 in 0..1, above .5 inside the mask.
    """
    inside = weight > 0.5
    paint, both = [], []
    for axis in (0, 1):
        step = np.diff(log_light, axis=axis)
        color = np.diff(log_red, axis=axis) ** 2 + np.diff(log_blue, axis=axis) ** 2
        paint.append((color > COLOR_STEP**2) | (np.abs(step) > LIGHT_STEP))
        both.append(inside[1:] & inside[:-1] if axis == 0 else inside[:, 1:] & inside[:, :-1])
    return Borders((paint[0], paint[1]), (both[0], both[1]))


def integrated(plane: Plane, found: Borders, rounds: int = ROUNDS) -> Plane:
    """Integrate what changes in a plane without a border.

    Returns:
        (h, w) float32, up to a constant; beyond the mask its smooth continuation.  h and w must be even.
    """
    down, across = (
        np.where(paint, 0, np.diff(plane, axis=axis)).astype(np.float32) * both
        for axis, (paint, both) in enumerate(zip(found.paint, found.inside, strict=True))
    )
    return integrate(down, across, found.inside, rounds)


def integrate(down: Plane, across: Plane, inside: tuple[Mask, Mask], rounds: int = ROUNDS) -> Plane:
    """Find the surface whose differences are nearest to the given ones, by least squares.

    Args:
        down: (h - 1, w) float32 differences between neighbours below each other.
        across: (h, w - 1) likewise beside each other.
        inside: where those of ``down`` and of ``across`` count.
        rounds: the more, the less what lies outside pulls.

    Returns:
        (h, w) float32, up to a constant; outside its smooth continuation.  h and w must be even.
    """
    gradients = down, across
    shading = np.zeros((down.shape[0] + 1, down.shape[1]), np.float32)
    eigenvalues = _laplace_eigenvalues(shading.shape)
    # The solver wants a rectangle.  Beyond the mask any gradient is right, so each round takes
    # that of the round before, and the mask's edge ends up free (no flux).
    for round_ in range(rounds):
        if round_:
            down = np.where(inside[0], gradients[0], np.diff(shading, axis=0))
            across = np.where(inside[1], gradients[1], np.diff(shading, axis=1))
        divergence = np.zeros_like(shading)
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
