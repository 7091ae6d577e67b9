"""What stands between a lamp and a face: leaves, blinds, a window, an edge, a blob, a lattice.

Each kind is a smooth field over the pattern's plane, lit where it is above a level.  The level is
the quantile that gives the wanted coverage, so that a pattern neither misses the person nor hides
it; and cutting a smooth field at full working size leaves no blocks, however small it was made.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.stages.draws import uniform
from relight_assets.stages.lighting.geometry import Plane, smoothstep
from relight_assets.stages.lighting.noise import fbm

TEXTURE_SIDE = 192
TEXTURE_EXTENT = 4.0
"""Side of a noise texture in units of s.  It repeats mirrored beyond."""


def pattern(kind: str, rng: Generator, u: Plane, v: Plane) -> Plane:
    """Return the field of a pattern.

    Args:
        kind: foliage, blinds, window, edge, blob or lattice.
        rng: for the pattern's own numbers.
        u: across, (h, w) float32, units of s, 0 at the middle of the head.
        v: down, likewise.

    Returns:
        (h, w) float32, higher is more likely lit.
    """
    return _KINDS[kind](rng, u, v)


def cut(field: Plane, level: float, inside: Plane) -> Plane:
    """Cut a field at a level, with an edge about one pixel wide.  (h, w) float32 in 0..1, 1 is lit."""
    # Of every fourth row, which is enough for a mean.
    steps = np.abs(np.diff(field[::4], axis=1))[inside[::4, 1:] > 0]
    width = max(float(steps.mean(dtype=np.float64)) if steps.size else 0.0, 1e-5)
    return smoothstep((field - np.float32(level)) * np.float32(0.5 / width) + np.float32(0.5))


def _texture(rng: Generator, uv: tuple[Plane, Plane], wavelength: float, octaves: int, gain: float) -> Plane:
    per_unit = TEXTURE_SIDE / TEXTURE_EXTENT
    image = fbm(rng, (TEXTURE_SIDE, TEXTURE_SIDE), wavelength * per_unit, octaves, gain)
    middle = np.float32(TEXTURE_SIDE / 2)
    return cv2.remap(
        image,
        uv[0] * np.float32(per_unit) + middle,
        uv[1] * np.float32(per_unit) + middle,
        interpolation=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )


def _wave(x: Plane, period: float, phase: float) -> Plane:
    # A triangle wave in -1..1: cut at any level it gives stripes of one width.
    turns = x * np.float32(1 / period) + np.float32(phase)
    return np.abs(turns - np.floor(turns) - np.float32(0.5)) * np.float32(4) - np.float32(1)


def _foliage(rng: Generator, u: Plane, v: Plane) -> Plane:
    return _texture(rng, (u, v), uniform(rng, (0.18, 0.45)), 5, 0.62)


def _blob(rng: Generator, u: Plane, v: Plane) -> Plane:
    return _texture(rng, (u, v), uniform(rng, (0.6, 1.1)), 2, 0.35)


def _blinds(rng: Generator, u: Plane, v: Plane) -> Plane:
    period, phase, bend = uniform(rng, (0.07, 0.20)), float(rng.random()), uniform(rng, (0.0, 0.015))
    return _wave(v + np.float32(bend) * _texture(rng, (u, v), 0.8, 2, 0.5), period, phase)


def _edge(rng: Generator, u: Plane, v: Plane) -> Plane:
    return v + np.float32(uniform(rng, (0.0, 0.10))) * _texture(rng, (u, v), 0.5, 3, 0.5)


def _window(rng: Generator, u: Plane, v: Plane) -> Plane:
    wide, tall = uniform(rng, (0.35, 0.70)), uniform(rng, (0.40, 0.90))
    across, down = int(rng.integers(1, 3)), int(rng.integers(2, 4))
    bar = uniform(rng, (0.06, 0.16))
    # Distance to the frame and to the bars, each in units of a pane, the smaller one counts.
    frame = np.float32(1) - np.maximum(
        np.abs(u) * np.float32(2 / (wide * 1.4)), np.abs(v) * np.float32(2 / (tall * 1.4))
    )
    panes_u = _wave(u, wide * 1.4 / across, 0.5 * (across % 2)) * np.float32(-0.5) + np.float32(0.5 - bar)
    panes_v = _wave(v, tall * 1.4 / down, 0.5 * (down % 2)) * np.float32(-0.5) + np.float32(0.5 - bar)
    return np.minimum(frame, np.minimum(panes_u, panes_v))


def _lattice(rng: Generator, u: Plane, v: Plane) -> Plane:
    period, phases = uniform(rng, (0.10, 0.26)), rng.random(2)
    return np.minimum(
        _wave(u, period, float(phases[0])), _wave(v, period * uniform(rng, (0.8, 1.25)), float(phases[1]))
    )


_KINDS: dict[str, Callable[[Generator, Plane, Plane], Plane]] = {
    "foliage": _foliage,
    "blinds": _blinds,
    "window": _window,
    "edge": _edge,
    "blob": _blob,
    "lattice": _lattice,
}
