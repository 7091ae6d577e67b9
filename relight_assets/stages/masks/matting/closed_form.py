"""A matte where it is not known, from the colours: closed form matting, on the unknown pixels alone.

Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", PAMI 2008: in every window of 3 by 3 pixels
alpha is nearly a linear function of the colours, so what the windows leave unexplained is a quadratic form in alpha,
and the matte is its minimum between what is surely the person and what surely is not.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane, Rgb8
from relight_assets.core.color import planes_of

EPSILON = 1e-6
"""Variance of colours, of 1 squared, that is taken for noise."""
WORD = (0.3, 0.7)
"""Probabilities from which on the segmenter's word is taken for 0 and 1; how much it weighs is another matter."""
COARSE_STEPS, FINE_STEPS = 20, 12
"""Of conjugate gradients: at half the size first, for what is far, then at the size itself."""
NOISE = 0.022
"""Standard deviation of a photo's grain, of 1, as it is left at the size of the guide: slopes of ``models`` that only
such differences would show are flattened, so that a large photo's grain does not become alpha's."""

_AROUND = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
_AFTER = (*((0, column) for column in range(3)), *((row, column) for row in (1, 2) for column in range(-2, 3)))
"""From a pixel to itself and to those after it with which it can share a window."""
_SIZE = np.float32(1 / len(_AROUND))


@dataclass(frozen=True)
class Matte:
    """A solved matte."""

    alpha: Plane
    """(h, w) float32 in 0..1."""
    models: Plane
    """(h, w, 4) float32: alpha as three slopes times the colours in 0..255, plus an offset; the mean of the windows'
    own.  So the matte can be had at a larger size, from a larger photo's colours."""


@dataclass(frozen=True)
class _Windows:
    """The N windows that hold an unknown pixel.

    ``centres`` (N,) are places in the flattened photo; ``colors`` (9, 3, N) are in 0..1, less the ``means`` (3, N);
    ``answers`` (9, 3, N) are the colours times the inverse of their covariance.
    """

    centres: NDArray[np.intp]
    colors: Plane
    means: Plane
    answers: Plane


def solve(guide: Rgb8, prior: Plane, unknown: Mask, pull: float) -> Plane:
    """Find alpha where it is unknown, at half the size first.

    Args:
        guide: (h, w, 3) uint8 sRGB.
        prior: (h, w) float32 in 0..1: where alpha is known, the person is where this is above .5; where it is not,
            this is what is likely.
        unknown: (h, w) bool.
        pull: weight of what is likely against that of a window: with less, haze is left where no colour tells.

    Returns:
        (h, w) float32 in 0..1.
    """
    start = _from_half_the_size(guide, prior, unknown, pull)
    return _minimum(_windows(guide, unknown), prior, start, unknown, steps=FINE_STEPS, pull=pull)


def solve_with_models(guide: Rgb8, prior: Plane, unknown: Mask, pull: float) -> Matte:
    """Find alpha near one that is a good start already, and how it depends on the colours; as :func:`solve`."""
    windows = _windows(guide, unknown)
    alpha = _minimum(windows, prior, prior, unknown, steps=FINE_STEPS, pull=pull)
    return Matte(alpha, _models(windows, alpha))


def _from_half_the_size(guide: Rgb8, prior: Plane, unknown: Mask, pull: float) -> Plane:
    size = (guide.shape[1] // 2, guide.shape[0] // 2)
    if min(size) < len(_AROUND):
        return prior
    small_guide, small_prior, small_unknown = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (guide, prior, unknown.astype(np.float32))
    )
    where = small_unknown > 0
    coarse = _minimum(_windows(small_guide, where), small_prior, small_prior, where, steps=COARSE_STEPS, pull=pull)
    return cv2.resize(coarse, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _windows(guide: Rgb8, unknown: Mask) -> _Windows:
    width = unknown.shape[1]
    touching = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))
    touching[[0, -1]] = touching[:, [0, -1]] = 0
    centres = np.flatnonzero(touching.view(np.bool_))
    pixels = np.stack([centres + (row * width + column) for row, column in _AROUND])
    planes = [plane.astype(np.float32).ravel() * np.float32(1 / 255) for plane in planes_of(guide)]
    colors = np.stack([plane.take(pixels) for plane in planes], axis=1)
    means = colors.sum(axis=0) * _SIZE
    colors -= means
    return _Windows(centres, colors, means, _answers(colors, EPSILON / len(_AROUND)))


def _answers(colors: Plane, variance: float) -> Plane:
    """(9, 3, N) colours times the inverse of their covariance, to which a variance was added."""
    a, b, c, d, e, f = _inverse_covariance(colors, variance)
    red, green, blue = colors[:, 0], colors[:, 1], colors[:, 2]
    return np.stack(
        [a * red + b * green + c * blue, b * red + d * green + e * blue, c * red + e * green + f * blue], axis=1
    )


def _inverse_covariance(colors: Plane, added: float) -> list[Plane]:
    """Six entries of a symmetric matrix, (N,) each, by its cofactors; in double precision, for they nearly cancel."""
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    rr, rg, rb, gg, gb, bb = (
        np.einsum("kn,kn->n", colors[:, one], colors[:, other]).astype(np.float64) / len(_AROUND)
        for one, other in pairs
    )
    rr, gg, bb = (variance + added for variance in (rr, gg, bb))
    cofactors = (
        gg * bb - gb * gb,
        rb * gb - rg * bb,
        rg * gb - rb * gg,
        rr * bb - rb * rb,
        rg * rb - rr * gb,
        rr * gg - rg * rg,
    )
    inverse = 1 / (rr * cofactors[0] + rg * cofactors[1] + rb * cofactors[2])
    return [(cofactor * inverse).astype(np.float32) for cofactor in cofactors]


def _minimum(windows: _Windows, prior: Plane, start: Plane, unknown: Mask, *, steps: int, pull: float) -> Plane:
    """Conjugate gradients over the unknown pixels, from a start."""
    alpha = (prior > 0.5).astype(np.float32)
    free = np.flatnonzero(unknown)
    if not free.size:
        return alpha
    laplacian, places, own = _laplacian(windows, free, unknown.shape)
    likely = prior.ravel()[free]
    weight = np.float32(pull) * (2 * likely - 1) ** 2 + np.float32(1e-6)
    likely = np.clip((likely - np.float32(WORD[0])) / np.float32(WORD[1] - WORD[0]), 0, 1)
    scale = 1 / (laplacian.data.reshape(free.size, -1)[:, len(_AFTER) - 1] + weight)
    solution = start.ravel()[free]
    # Vectors over all pixels of the windows, and one place more for what is in none.
    spread = np.append(alpha.ravel()[places], np.float32(0))
    spread[own] = solution
    residual = weight * (likely - solution) - laplacian @ spread
    spread[:] = 0
    towards = scale * residual
    energy = float((residual * towards).sum())
    direction = towards
    for _ in range(steps):
        if energy <= 1e-9:
            break
        spread[own] = direction
        image = laplacian @ spread + weight * direction
        length = np.float32(energy / float((direction * image).sum()))
        solution += length * direction
        residual -= length * image
        towards = scale * residual
        before, energy = energy, float((residual * towards).sum())
        direction = towards + np.float32(energy / before) * direction
    alpha.ravel()[free] = np.clip(solution, 0, 1)
    return alpha


def _laplacian(
    windows: _Windows, free: NDArray[np.intp], shape: tuple[int, ...]
) -> tuple[Any, NDArray[np.intp], NDArray[np.int32]]:
    """The matting Laplacian's rows of F unknown pixels over the P pixels of all windows: sparse (F, P + 1).

    Returns also the (P,) places of those pixels, and which of them are the unknown ones, (F,).  Every row has 25
    entries, the middle one its own.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415  (a tenth of the start of every command, that few need)

    width, margin, count = shape[1], 2 * shape[1] + 2, windows.centres.size
    where = np.zeros(shape, np.uint8)
    where.ravel()[windows.centres] = 1
    places = np.flatnonzero(cv2.dilate(where, np.ones((3, 3), np.uint8)).view(np.bool_))
    window_at = np.full(where.size + 2 * margin, count, np.intp)
    window_at[margin + windows.centres] = np.arange(count)
    # What couples a pixel to each of those after it is a sum over the windows that hold both.
    coupled = np.zeros((len(_AFTER), places.size + 1), np.float32)
    product = np.zeros(count + 1, np.float32)
    for one, (row, column) in enumerate(_AROUND):
        holding = window_at.take(places + (margin - row * width - column))
        for other in range(one, len(_AROUND)):
            np.einsum("cn,cn->n", windows.colors[one], windows.answers[other], out=product[:-1])
            product[:-1] = (np.float32(one == other) - _SIZE) - _SIZE * product[:-1]
            after = _AFTER.index((_AROUND[other][0] - row, _AROUND[other][1] - column))
            coupled[after, :-1] += product.take(holding)
    number = np.full(where.size + 2 * margin, places.size, np.int32)
    number[margin + places] = np.arange(places.size, dtype=np.int32)
    steps = [row * width + column for row, column in _AFTER]
    around = np.stack([number.take(free + (margin + step)) for step in (*(-step for step in steps[:0:-1]), *steps)])
    own = around[len(steps) - 1]
    before = [coupled[len(steps) - 1 - at].take(around[at]) for at in range(len(steps) - 1)]
    entries = np.stack([*before, *(plane.take(own) for plane in coupled)])
    ends = np.arange(0, entries.size + 1, len(entries), dtype=np.int32)
    rows = (entries.T.ravel(), around.T.ravel(), ends)
    return csr_matrix(rows, shape=(free.size, places.size + 1)), places, own


def _models(windows: _Windows, alpha: Plane) -> Plane:
    summed = np.zeros((alpha.size, 4), np.float32)
    count = np.zeros(alpha.size, np.float32)
    shares = np.stack(
        [alpha.ravel().take(windows.centres + (row * alpha.shape[1] + column)) for row, column in _AROUND]
    )
    # The mean of shares times answers, window by window.
    slopes = np.zeros_like(windows.means)
    for share, answer in zip(shares, _answers(windows.colors, NOISE**2), strict=True):
        slopes += answer * share
    slopes *= _SIZE
    summed[windows.centres, :3] = slopes.T * np.float32(1 / 255)
    summed[windows.centres, 3] = shares.sum(axis=0) * _SIZE - (slopes * windows.means).sum(axis=0)
    count[windows.centres] = 1
    total, near = (
        cv2.boxFilter(plane.reshape(*alpha.shape, -1), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in (summed, count)
    )
    total *= (1 / np.maximum(near, 1))[..., None]
    total[..., 3] += np.where(near == 0, alpha, np.float32(0))
    return total
