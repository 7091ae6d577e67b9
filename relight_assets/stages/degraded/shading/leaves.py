"""The shadow of leaves and twigs in the sun, which has a size: the farther a leaf, the softer its edge.

Leaves are drawn in layers, each at its distance from the face, and each blurred by the sun's disc as seen from there.
What one layer lets through the next one dims again.
"""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.stages.degraded.geometry.filters import smooth

SIDE, EXTENT = 320, 2.6
"""Side of the drawing, in pixels and in units of the subject's size s.  It repeats mirrored beyond."""
LENGTHS, SLENDERNESS = (0.10, 0.26), (0.35, 0.6)
"""Length of leaves, in units of s, and their width over it."""
PENUMBRAS = (0.004, 0.010, 0.024)
"""Standard deviation of the blurred edge in each layer, nearest first, in units of s."""
SHARES = (0.40, 0.35, 0.25)
"""Each layer's share of the leaves."""
CLUSTER, PER_CLUSTER = 0.16, 7
"""Spread of the leaves of one twig, in units of s, and how many they are about."""
BOUGH, TWIGS = (0.02, 0.045), 9
"""Width of a bough in units of s, and how many twigs it has."""
MOST_LEAVES = 500
"""In a layer: a bound on time."""
SUBPIXEL = 4
"""Binary digits of a pixel's fraction, of cv2's drawing."""


def draw(rng: Generator, coverage: float, *, twigs: bool) -> tuple[Plane, float]:
    """Draw leaves that cover a share of the plane, about.

    Args:
        rng: for them.
        coverage: 0..1.
        twigs: with a bough and its twigs, on which the leaves sit.

    Returns:
        The light they let through, (SIDE, SIDE) float32 in 0..1, and the length of a leaf in units of s.
    """
    length = log_uniform(rng, LENGTHS)
    slenderness = uniform(rng, SLENDERNESS)
    pixels = SIDE / EXTENT
    # Leaves that fall anywhere leave exp(-n area) of the plane open.
    area = 0.7 * length * length * slenderness / EXTENT**2
    open_, through = 1 - min(max(coverage, 0.05), 0.9), np.ones((SIDE, SIDE), np.float32)
    for number, (penumbra, share) in enumerate(zip(PENUMBRAS, SHARES, strict=True)):
        layer = np.full((SIDE, SIDE), 255, np.uint8)
        tips = _bough(layer, rng) if twigs and number == 0 else rng.random((24, 2)) * EXTENT
        count = min(MOST_LEAVES, round(-math.log(open_) * share / area))
        for middle, turn, size in _places(rng, tips, count):
            outline = _leaf(middle, turn, length * size, slenderness) * pixels * 2**SUBPIXEL
            cv2.fillConvexPoly(layer, np.rint(outline).astype(np.int32), 0, cv2.LINE_AA, SUBPIXEL)
        through *= smooth(layer.astype(np.float32) * np.float32(1 / 255), penumbra * pixels)
    return through, length


def _places(rng: Generator, tips: NDArray[np.float64], count: int) -> list[tuple[NDArray[np.float64], float, float]]:
    which = rng.integers(min(len(tips), max(1, count // PER_CLUSTER)), size=count)
    middles = tips[which] + CLUSTER * rng.standard_normal((count, 2))
    turns, sizes = 2 * np.pi * rng.random(count), 0.6 + 0.6 * rng.random(count)
    return list(zip(middles, turns.tolist(), sizes.tolist(), strict=True))


def _leaf(middle: NDArray[np.float64], turn: float, length: float, slenderness: float) -> NDArray[np.float64]:
    # Two arcs that meet at both ends.
    along = np.linspace(-1, 1, 7)
    bulge = slenderness * (1 - along**2)
    outline = np.concatenate([np.stack([along, bulge], 1), np.stack([along, -bulge], 1)[-2:0:-1]]) * (0.5 * length)
    cosine, sine = math.cos(turn), math.sin(turn)
    return middle + outline @ np.array([[cosine, sine], [-sine, cosine]])


def _bough(layer: NDArray[np.uint8], rng: Generator) -> NDArray[np.float64]:
    """Draw a bough with twigs across a layer; their tips, (N, 2), units of s."""
    pixels, turn = SIDE / EXTENT, 2 * np.pi * float(rng.random())
    along = np.linspace(-0.7, 0.7, 9)[:, None] * EXTENT
    line = 0.5 * EXTENT + along * [math.cos(turn), math.sin(turn)] + 0.05 * rng.standard_normal((9, 2))
    width = uniform(rng, BOUGH) * pixels
    _draw(layer, line * pixels, width)
    tips = []
    for number in range(TWIGS):
        start = line[1 + number * 7 // TWIGS]
        angle = turn + (1 if number % 2 else -1) * uniform(rng, (0.5, 1.1))
        twig = start + uniform(rng, (0.35, 0.7)) * np.linspace(0, 1, 4)[:, None] * [math.cos(angle), math.sin(angle)]
        twig[1:] += 0.03 * rng.standard_normal((3, 2))
        _draw(layer, twig * pixels, 0.35 * width)
        tips += [twig[-1], twig[-2]]
    return np.array(tips)


def _draw(layer: NDArray[np.uint8], line: NDArray[np.float64], width: float) -> None:
    points = np.rint(line * 2**SUBPIXEL).astype(np.int32)
    cv2.polylines(layer, [points], False, 0, max(1, round(width)), cv2.LINE_AA, SUBPIXEL)
