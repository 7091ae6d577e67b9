"""One small lamp, and something between it and the face.

The pattern is projected along the light onto the height field, so that stripes bend over nose and
cheeks; its edge widens across the picture as the pattern's distance does; and red bleeds farther
into the shadow than blue, as in skin (after Zhang et al., "Portrait Shadow Manipulation",
SIGGRAPH 2020).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe import lights
from relight_assets.core.color import safe_ratio, tinted
from relight_assets.core.rng import log_uniform, uniform, weighted
from relight_assets.stages.degraded import gobos
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.height_field import Plane, smooth, smoothstep
from relight_assets.stages.degraded.geometry.noise import fbm
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.lambert import wrapped_cosine

LAMP_SIZE = (0.05, 0.25)
WIDENING = (1.0, 4.0)
LEVELS = 4
TINT = 0.75
"""Share of a lamp's colour that is left after a camera's white balance."""
SUBSURFACE = (1.0, 0.45, 0.25)
"""How far light bleeds in skin, R, G and B relative to R."""
HEAD_COVERAGE = (0.15, 0.85)
"""A shadow that misses the face, or hides all of it, is placed again."""
PLACEMENTS = 8
CUSTOM = "custom"
"""The kind that takes the user's own patterns."""

Thrown = Callable[[Generator, Plane, Plane], tuple[Plane, gobos.Drawn]]
"""Draws a pattern over a plane in units of s: how much it lets through, (h, w) float32 in 0..1, and what was drawn."""


@dataclass(frozen=True)
class Shadow:
    """What is in the light's way.

    ``seen`` is (h, w, 3) float32 in 0..1 per channel, 1 where the lamp is seen.
    """

    light: Direction
    seen: NDArray[np.float32]
    numbers: Numbers


def cast(
    scene: Scene,
    light: Direction,
    family: lights.HardShadow,
    rng: Generator,
    own_gobos: gobos.Gobos = gobos.NO_GOBOS,
) -> Shadow:
    """Draw a pattern and throw its shadow, and the head's own, on the person."""
    kind = weighted(rng, family.kinds.model_dump())
    lamp_size = uniform(rng, LAMP_SIZE)
    on_itself = bool(rng.random() < family.self_shadow_probability) or kind == "none"
    penumbra = log_uniform(rng, family.penumbra_range)
    widening = uniform(rng, WIDENING)
    subsurface = uniform(rng, family.subsurface_range)
    numbers: Numbers = {"has_pattern": kind != "none", "pattern_type": kind, "self_shadow": on_itself}
    plane = np.ones(scene.shape, np.float32)
    if kind != "none":
        if kind == CUSTOM:
            name = sorted(own_gobos)[int(rng.integers(len(own_gobos)))]
            numbers["pattern_file"] = name
            thrown = own(scene, own_gobos[name])
        else:
            thrown = made_up(scene, kind, family.coverage_range)
        sharp, where = place(scene, light, thrown, family.coverage_range, rng)
        plane = _with_penumbra(sharp, scene.size * penumbra, widening, rng)
        numbers |= where
        numbers |= {"penumbra": penumbra, "penumbra_widening": widening}
    if on_itself:
        plane = plane * visibility(scene, light, lamp_size)
        numbers["lamp_size"] = lamp_size
    numbers["subsurface"] = subsurface
    numbers["shadow_coverage"] = float(1 - scene.sampled(plane).mean(dtype=np.float64))
    bleeding = [smooth(plane, subsurface * scene.size * reach) for reach in SUBSURFACE]
    return Shadow(light, cv2.merge(bleeding), numbers)


def shine(
    scene: Scene, shadow: Shadow, family: lights.HardShadow, rng: Generator, *, push: float
) -> tuple[NDArray[np.float32], Numbers]:
    """Draw a strength and light the person: (h, w, 3) float32 irradiance, and what was drawn.

    ``push`` 0 draws from the whole ranges, 1 takes the deepest shadow.
    """
    low, high = family.shadow_level
    level = log_uniform(rng, (low, high))
    level += (low - level) * push
    wrap = uniform(rng, family.wrap_range)
    wrap += (family.wrap_range[0] - wrap) * push
    key_kelvin = log_uniform(rng, family.key_temperature_range)
    ambient_kelvin = log_uniform(rng, family.ambient_temperature_range)
    key_color, ambient_color = tinted(key_kelvin, TINT), tinted(ambient_kelvin, TINT)
    key = scene.fade_rim(wrapped_cosine(scene.toward(shadow.light), wrap)) * np.float32(1 - level)
    ambient = scene.normals[2] * np.float32(0.25 * level) + np.float32(0.75 * level)
    seen = cv2.split(shadow.seen)
    planes = [ambient * ambient_color[c] + key * seen[c] * key_color[c] for c in range(3)]
    numbers: Numbers = {
        "shadow_level": level,
        "wrap": wrap,
        "key_temperature": key_kelvin,
        "ambient_temperature": ambient_kelvin,
    }
    return cv2.merge(planes), numbers


def made_up(scene: Scene, kind: str, coverage_range: tuple[float, float]) -> Thrown:
    """A made-up kind, cut so that it covers a drawn share of the person."""

    def thrown(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, gobos.Drawn]:
        wanted = uniform(rng, coverage_range)
        field, drawn = gobos.pattern(kind, rng, u, v)
        level = float(np.quantile(scene.sampled(field), wanted))
        return gobos.cut(field, level, scene.alpha), drawn

    return thrown


def own(scene: Scene, image: NDArray[np.uint8]) -> Thrown:
    """A picture of the user's, as it is."""

    def thrown(rng: Generator, u: Plane, v: Plane) -> tuple[Plane, gobos.Drawn]:
        return gobos.picture(image, rng, u, v, scene.size)

    return thrown


def place(
    scene: Scene, light: Direction, thrown: Thrown, coverage_range: tuple[float, float], rng: Generator
) -> tuple[Plane, Numbers]:
    """Put a pattern in the light's way so that its coverage of person and face is in range.

    Returns the lamp's visibility (h, w) float32, 1 is lit, before any blur, and what was drawn.  After
    some tries the placement that came nearest is kept.
    """
    least, kept, drawn = np.inf, np.ones(scene.shape, np.float32), Numbers()
    for _ in range(PLACEMENTS):
        turn, tilt = 2 * np.pi * float(rng.random()), uniform(rng, (-0.12, 0.12))
        offset = [uniform(rng, (-0.15, 0.15)), uniform(rng, (-0.15, 0.15))]
        plane, shape = thrown(rng, *_projected(scene, light, turn, tilt, offset))
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
        if miss <= 0.02:
            break
    return kept, drawn


def _projected(scene: Scene, light: Direction, turn: float, tilt: float, offset: list[float]) -> tuple[Plane, Plane]:
    # Where the ray from each point of the person toward the light meets the pattern's plane, units of s.
    rows, columns = scene.shape
    x = np.arange(columns, dtype=np.float32)[None, :] - np.float32(scene.head.x)
    y = np.arange(rows, dtype=np.float32)[:, None] - np.float32(scene.head.y)
    middle = scene.height.ravel()[scene.head_samples].mean(dtype=np.float64)
    rise = scene.height - np.float32(middle)
    lean = max(light.z, 0.15)
    unit = np.float32(1 / scene.size)
    across = (x - rise * np.float32(light.x / lean)) * unit - np.float32(offset[0])
    down = (y - rise * np.float32(light.y / lean)) * unit - np.float32(offset[1])
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = across * cosine - down * sine, across * sine + down * cosine
    # A pattern that is not square to the light: its far side looks smaller.
    nearer = safe_ratio(np.ones_like(u), 1 + np.float32(tilt) * u, 0.3)
    return u * nearer, v * nearer


def _with_penumbra(plane: Plane, sigma: float, widening: float, rng: Generator) -> Plane:
    # Blur whose width changes over the picture: levels of one stack, mixed by a slow random map.
    span = max(plane.shape)
    small = (max(2, plane.shape[0] // 8), max(2, plane.shape[1] // 8))
    mix = smoothstep(np.float32(0.5) + np.float32(0.45) * fbm(rng, small, max(small) / 1.5, 1))
    mix = cv2.resize(mix, plane.shape[::-1], interpolation=cv2.INTER_LINEAR) * np.float32(LEVELS - 1)
    widths = sigma * np.geomspace(1, widening, LEVELS)
    result = np.zeros_like(plane)
    for level, width in enumerate(widths.tolist()):
        weight = np.maximum(1 - np.abs(mix - np.float32(level)), 0)
        result += weight * smooth(plane, min(width, 0.25 * span))
    return result


def _outside(value: float, interval: tuple[float, float]) -> float:
    return max(interval[0] - value, value - interval[1], 0.0)
