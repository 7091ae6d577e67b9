"""Gobos, the patterns between a lamp and a face: blinds, a window, an edge, leaves, a curtain and so on, or an image.

Most procedural kinds are a smooth field over the pattern's plane, lit where it is above a level.  The level is
the quantile that gives the wanted coverage, so that a pattern neither misses the person nor hides it.  The
field is cut at full working size, so a texture of few pixels leaves no blocks.  Leaves are drawn one by one
(:mod:`relight_assets.stages.degraded.shading.leaves`), cloth lets a part of the light through, and a user's image is a
transparency: its gray value is the share of light that it lets through.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import Gray8, Plane
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.stages.degraded.geometry.filters import smoothstep
from relight_assets.stages.degraded.geometry.noise import fbm
from relight_assets.stages.degraded.shading import leaves

TEXTURE_SIDE, TEXTURE_EXTENT = 192, 4.0
"""Side of a noise texture, in pixels and in units of the subject's size s.  It repeats mirrored beyond."""
IMAGE_WIDTHS = (0.6, 2.0)
"""Widths of a user's image, in units of s."""
FOLDS = (0.05, 0.40)
"""Share of the light that a curtain lets through, in its folds and between them."""
MESH = (0.45, 0.65)
"""Share of the light that the mesh of a screen door lets through."""
WINDOW_BARS = (0.03, 0.07)
"""Width of a window's bars, in units of s: thinner shadows are scratches on a face."""
HEM = 0.01
"""Width of a curtain's edge, in units of s."""

Gobos = Mapping[str, Gray8]
"""The user's images by file name: (h, w) uint8, 255 lets all light through."""
NO_GOBOS: Gobos = MappingProxyType({})
Drawn = dict[str, float | list[float]]
"""What was drawn, in plain JSON values, for the record."""
Uv = tuple[Plane, Plane]
"""Across and down, (h, w) float32 each, units of s, 0 at the middle of the head."""


@dataclass(frozen=True)
class Wanted:
    """How much of a person a pattern shall cover."""

    coverage: float
    """Share of the person in shadow, 0..1."""
    level_of: Callable[[Plane], float]
    """The level of a field below which that share of the person lies."""
    inside: Plane
    """(h, w) float32 in 0..1: the person."""

    def cut(self, field: Plane) -> Plane:
        """Cut a field at that level: (h, w) float32 in 0..1, 1 is lit."""
        return cut(field, self.level_of(field), self.inside)


def pattern(kind: str, rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    """Return the light that a pattern lets through, (h, w) float32 in 0..1, and what was drawn of it.

    Args:
        kind: one of the recipe's ``hard_shadow.kinds``, but none and custom.
        rng: for the pattern's own numbers.
        uv: the pattern's plane.
        wanted: how much it shall cover.
    """
    if kind in _KINDS:
        field, drawn = _KINDS[kind](rng, *uv)
        return wanted.cut(field), drawn
    return _THROUGH[kind](rng, uv, wanted)


def user_image(image: Gray8, rng: Generator, u: Plane, v: Plane, unit: float) -> tuple[Plane, Drawn]:
    """Lay a user's image over the pattern's plane, mirrored beyond its edges.

    Args:
        image: (h, w) uint8, 255 lets light through.
        rng: for its width and its place.
        u: across, (h, w) float32, units of s, 0 at the middle of the head.
        v: down, likewise.
        unit: s in pixels of the plane.

    Returns:
        What is let through, (h, w) float32 in 0..1, and what was drawn.
    """
    wide, left, top = log_uniform(rng, IMAGE_WIDTHS), float(rng.random()), float(rng.random())
    # Detail finer than the plane would alias.
    shrink = min(1.0, wide * unit / image.shape[1])
    size = [max(1, round(side * shrink)) for side in (image.shape[1], image.shape[0])]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
    scale = np.float32(size[0] / wide)
    through = cv2.remap(
        small,
        u * scale + np.float32(left * size[0]),
        v * scale + np.float32(top * size[1]),
        interpolation=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return through, {"pattern_width": wide, "pattern_corner": [left, top]}


def cut(field: Plane, level: float, inside: Plane) -> Plane:
    """Cut a field at a level, with an edge about one pixel wide.  (h, w) float32 in 0..1, 1 is lit."""
    # Of every fourth row, which is enough for a mean.
    steps = np.abs(np.diff(field[::4], axis=1))[inside[::4, 1:] > 0]
    width = max(float(steps.mean(dtype=np.float64)) if steps.size else 0.0, 1e-5)
    return smoothstep((field - np.float32(level)) * np.float32(0.5 / width) + np.float32(0.5))


def _texture(rng: Generator, uv: Uv, wavelength: float, octaves: int, gain: float) -> Plane:
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


def _blob(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, Drawn]:
    wavelength = uniform(rng, (0.6, 1.1))
    return _texture(rng, (u, v), wavelength, 2, 0.35), {"pattern_wavelength": wavelength}


def _blinds(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, Drawn]:
    period, phase, bend = uniform(rng, (0.07, 0.20)), float(rng.random()), uniform(rng, (0.0, 0.015))
    field = _wave(v + np.float32(bend) * _texture(rng, (u, v), 0.8, 2, 0.5), period, phase)
    return field, {"pattern_periods": [period], "pattern_phases": [phase], "pattern_bend": bend}


def _edge(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, Drawn]:
    bend = uniform(rng, (0.0, 0.10))
    return v + np.float32(bend) * _texture(rng, (u, v), 0.5, 3, 0.5), {"pattern_bend": bend}


def _lattice(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, Drawn]:
    period, phases = uniform(rng, (0.10, 0.26)), rng.random(2).tolist()
    other = period * uniform(rng, (0.8, 1.25))
    field = np.minimum(_wave(u, period, phases[0]), _wave(v, other, phases[1]))
    return field, {"pattern_periods": [period, other], "pattern_phases": phases}


def _fence(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, Drawn]:
    # Pickets, and a rail across them now and then, which takes a tenth of its period.
    period, rails, phases = uniform(rng, (0.13, 0.28)), uniform(rng, (0.7, 1.1)), rng.random(2).tolist()
    field = np.minimum(_wave(u, period, phases[0]), np.float32(0.8) + _wave(v, rails, phases[1]))
    return field, {"pattern_periods": [period, rails], "pattern_phases": phases}


def _curtain(rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    # Open beside its hem; folds, which grow no sharper than cloth is, run along it.
    period, phase, bend = uniform(rng, (0.10, 0.24)), float(rng.random()), uniform(rng, (0.01, 0.05))
    u = uv[0] + np.float32(bend) * _texture(rng, uv, 0.7, 2, 0.5)
    open_ = smoothstep((u - np.float32(wanted.level_of(u))) * np.float32(1 / HEM) + np.float32(0.5))
    folds = (_wave(u, period, phase) + _wave(u, 0.37 * period, 2.3 * phase) * np.float32(0.4)) * np.float32(1 / 1.4)
    sheer = np.float32(FOLDS[0]) + np.float32(FOLDS[1] - FOLDS[0]) * smoothstep((folds + 1) * np.float32(0.5))
    drawn: Drawn = {"pattern_periods": [period], "pattern_phases": [phase], "pattern_bend": bend}
    return open_ + (1 - open_) * sheer, drawn


def _window(rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    # As large as leaves the wanted share in the shadow of the wall; its bars, of a width of their own, take the rest.
    wide, tall = uniform(rng, (0.35, 0.70)), uniform(rng, (0.40, 0.90))
    across, down = int(rng.integers(1, 3)), int(rng.integers(2, 4))
    bar = uniform(rng, WINDOW_BARS)
    field = -np.maximum(np.abs(uv[0]) * np.float32(2 / wide), np.abs(uv[1]) * np.float32(2 / tall))
    size = max(-wanted.level_of(field), 0.5)
    edge = np.float32(1 / 0.006)
    glass = smoothstep((field + np.float32(size)) * np.float32(min(wide, tall) / 2) * edge + np.float32(0.5))
    bars = [
        np.abs(_wave(x, pane, 0.5 * (count % 2)) - 1) * np.float32(pane / 4) - np.float32(0.5 * bar)
        for x, pane, count in zip(uv, (size * wide / across, size * tall / down), (across, down), strict=True)
    ]
    drawn: Drawn = {
        "pattern_size": [size * wide, size * tall],
        "pattern_panes": [float(across), float(down)],
        "pattern_bar": bar,
    }
    return glass * (1 - smoothstep(np.float32(0.5) - np.minimum(*bars) * edge)), drawn


def _screen_door(rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    # Its mesh is too fine to be seen and dims the light; its frame is seen.
    mesh, bar, pane = uniform(rng, MESH), uniform(rng, (0.05, 0.10)), uniform(rng, (0.45, 0.8))
    phase = float(rng.random())
    distance = uv[0] - np.float32(wanted.level_of(uv[0]))
    edge = np.float32(1 / 0.006)
    door = smoothstep(np.float32(0.5) - distance * edge)
    rail = np.abs(_wave(uv[1], pane, phase) - 1) * np.float32(pane / 4) - np.float32(0.5 * bar)
    stile = np.abs(distance + np.float32(0.5 * bar)) - np.float32(0.5 * bar)
    frame = smoothstep(np.float32(0.5) - np.minimum(rail, stile) * edge)
    drawn: Drawn = {"pattern_periods": [pane], "pattern_phases": [phase], "pattern_bar": bar}
    return 1 - door * (1 - np.float32(mesh) * (1 - frame)), drawn


def _leaves(rng: Generator, uv: Uv, wanted: Wanted, *, twigs: bool) -> tuple[Plane, Drawn]:
    image, length = leaves.draw(rng, wanted.coverage, twigs=twigs)
    scale, middle = np.float32(image.shape[0] / leaves.EXTENT), np.float32(image.shape[0] / 2)
    across, down = uv[0] * scale + middle, uv[1] * scale + middle
    through = cv2.remap(image, across, down, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return through, {"pattern_wavelength": length}


def _foliage(rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    return _leaves(rng, uv, wanted, twigs=False)


def _branch(rng: Generator, uv: Uv, wanted: Wanted) -> tuple[Plane, Drawn]:
    return _leaves(rng, uv, wanted, twigs=True)


_KINDS: dict[str, Callable[[Generator, Plane, Plane], tuple[Plane, Drawn]]] = {
    "blinds": _blinds,
    "edge": _edge,
    "blob": _blob,
    "fence": _fence,
    "lattice": _lattice,
}
"""Fields that are cut."""
_THROUGH: dict[str, Callable[[Generator, Uv, Wanted], tuple[Plane, Drawn]]] = {
    "foliage": _foliage,
    "branch": _branch,
    "curtain": _curtain,
    "window": _window,
    "screen_door": _screen_door,
}
"""What lets a part of the light through."""
