"""Colour retinex as Grosse et al. have it, the method that others are compared with.

A change between neighbours that comes with a change of colour, or is large, is one of the surface; all others are
shading.  The surface's changes are integrated over the mask by least squares, at full size.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import spsolve

COLOR_STEP, LIGHT_STEP = 0.06, 0.35
"""Of log chromaticity and of log brightness; fixed, where the paper chose them per image by cross-validation."""
FLOOR = 1e-3


def color_retinex(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The albedo of a (H, W, 3) float32 image in linear light; (H, W, 3), 0 outside the mask."""
    logs = np.log(image.astype(np.float64) + FLOOR)
    light = logs.mean(axis=2)
    color = logs - light[..., None]
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(int(mask.sum()))
    first, second, steps = [], [], []
    for axis in (0, 1):
        here, there = (np.s_[:-1], np.s_[1:]) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
        both = mask[here] & mask[there]
        step = (light[there] - light[here])[both]
        hue = np.linalg.norm((color[there] - color[here])[both], axis=1)
        first.append(number[here][both])
        second.append(number[there][both])
        steps.append(np.where((hue > COLOR_STEP) | (np.abs(step) > LIGHT_STEP), step, 0.0))
    surface = _integrated(np.concatenate(first), np.concatenate(second), np.concatenate(steps), int(mask.sum()))
    albedo = np.zeros(image.shape, np.float32)
    albedo[mask] = np.exp(surface[:, None] + color[mask])
    return albedo


def _integrated(
    first: NDArray[np.intp], second: NDArray[np.intp], steps: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Values whose differences are nearest to the steps; with mean near 0."""
    ones = np.ones(len(steps))
    adjacency = coo_matrix((ones, (first, second)), shape=(count, count))
    adjacency = adjacency + adjacency.T
    laplacian = diags(np.asarray(adjacency.sum(axis=1)).ravel() + 1e-8) - adjacency
    divergence = np.bincount(second, steps, count) - np.bincount(first, steps, count)
    solved: NDArray[np.float64] = spsolve(laplacian.tocsc(), divergence)
    return solved - solved.mean()
