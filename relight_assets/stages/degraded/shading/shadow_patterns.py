"""Where the pattern of a hard shadow lies on a person, and how sharp its edge is."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import Gray8, Plane
from relight_assets.core.color import safe_ratio
from relight_assets.core.rng import uniform
from relight_assets.stages.degraded import gobos
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.noise import fbm
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.quantiles import quantile

SHAPE_BLUR, DEPTH, LEAST_LEAN = 0.02, 0.35, 0.5
"""Blur of the shape, in units of s, the share of its depth that a pattern follows, and the least z of the light."""
BLUR_LEVELS = 4
"""Blurred planes between which the penumbra's width is interpolated."""
HEAD_COVERAGE = (0.15, 0.85)
"""Share of the head in shadow: a pattern that misses the face, or hides all of it, is placed again."""
PLACEMENTS = 8
"""Tries to place a pattern; then the one that came nearest is kept."""
COVERAGE_TOLERANCE = 0.02
"""By which coverages may miss their ranges for a placement to be taken at once."""

DrawPattern = Callable[[Generator, Plane, Plane], tuple[Plane, gobos.Drawn]]
"""Draws a pattern over a plane in units of s: the light that it lets through, 0..1, and what was drawn."""


def procedural(scene: Scene, kind: str, coverage_range: tuple[float, float]) -> DrawPattern:
    """A procedural kind, cut so that it covers a drawn share of the person."""

    def draw(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, gobos.Drawn]:
        wanted = uniform(rng, coverage_range)

        def level_of(field: Plane) -> float:
            return quantile(scene.sampled(field), wanted)

        return gobos.pattern(kind, rng, (u, v), gobos.Wanted(wanted, level_of, scene.alpha))

    return draw


def custom(scene: Scene, image: Gray8) -> DrawPattern:
    """An image of the user's, as it is."""

    def draw(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, gobos.Drawn]:
        return gobos.user_image(image, rng, u, v, scene.size)

    return draw


def place(
    scene: Scene, light: Direction, draw_pattern: DrawPattern, coverage_range: tuple[float, float], rng: Generator
) -> tuple[Plane, Numbers]:
    """Put a pattern in the light's way so that its coverage of person and head is in range.

    Returns the lamp's visibility (h, w) float32, 1 is lit, before any blur, and what was drawn.  After
    some tries the placement that came nearest is kept.
    """
    least, kept, drawn = np.inf, np.ones(scene.shape, np.float32), Numbers()
    for _ in range(PLACEMENTS):
        turn, tilt = 2 * np.pi * float(rng.random()), uniform(rng, (-0.12, 0.12))
        offset = [uniform(rng, (-0.15, 0.15)), uniform(rng, (-0.15, 0.15))]
        plane, shape = draw_pattern(rng, *_projected(scene, light, turn, tilt, offset))
        body = float(1 - scene.sampled(plane).mean(dtype=np.float64))
        face = float(1 - plane.ravel()[scene.head_samples].mean(dtype=np.float64))
        numbers: Numbers = {
            "pattern_rotation": float(np.degrees(turn)),
            "pattern_tilt": tilt,
            "pattern_offset": offset,
            "pattern_coverage": body,
            "pattern_face_coverage": face,
            **shape,
        }
        miss = _outside(body, coverage_range) + _outside(face, HEAD_COVERAGE)
        if miss < least:
            least, kept, drawn = miss, plane, numbers
        if miss <= COVERAGE_TOLERANCE:
            break
    return kept, drawn


def with_penumbra(plane: Plane, sigma: float, widening: float, rng: Generator) -> Plane:
    """Blur a pattern's edge by ``sigma`` pixels to ``widening`` times that, as a smooth random map has it."""
    span = max(plane.shape)
    small = (max(2, plane.shape[0] // 8), max(2, plane.shape[1] // 8))
    mix = smoothstep(np.float32(0.5) + np.float32(0.45) * fbm(rng, small, max(small) / 1.5, 1))
    mix = cv2.resize(mix, plane.shape[::-1], interpolation=cv2.INTER_LINEAR) * np.float32(BLUR_LEVELS - 1)
    widths = sigma * np.geomspace(1, widening, BLUR_LEVELS)
    result = np.zeros_like(plane)
    for level, width in enumerate(widths.tolist()):
        weight = np.maximum(1 - np.abs(mix - np.float32(level)), 0)
        result += weight * smooth(plane, min(width, 0.25 * span))
    return result


def _projected(scene: Scene, light: Direction, turn: float, tilt: float, offset: list[float]) -> tuple[Plane, Plane]:
    # Where the ray from each point of the person toward the light meets the pattern's plane, units of s.
    rows, columns = scene.shape
    x = np.arange(columns, dtype=np.float32)[None, :] - np.float32(scene.head.x)
    y = np.arange(rows, dtype=np.float32)[:, None] - np.float32(scene.head.y)
    # Of a smooth shape and from no grazing light: a bar that follows each wrinkle of the shape is a contour line.
    height = smooth(scene.height, SHAPE_BLUR * scene.size)
    rise = np.float32(DEPTH) * height
    rise -= np.float32(rise.ravel()[scene.head_samples].mean(dtype=np.float64))
    lean = max(light.z, LEAST_LEAN)
    unit = np.float32(1 / scene.size)
    across = (x - rise * np.float32(light.x / lean)) * unit - np.float32(offset[0])
    down = (y - rise * np.float32(light.y / lean)) * unit - np.float32(offset[1])
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = across * cosine - down * sine, across * sine + down * cosine
    # A pattern that is not square to the light: its far side looks smaller.
    nearer = safe_ratio(np.ones_like(u), 1 + np.float32(tilt) * u, 0.3)
    return u * nearer, v * nearer


def _outside(value: float, interval: tuple[float, float]) -> float:
    return max(interval[0] - value, value - interval[1], 0.0)
