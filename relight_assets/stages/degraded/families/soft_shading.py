"""Wide light: a wrapped key, a smooth fill from spherical harmonics, and an ambient floor."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe import lights
from relight_assets.core.color import tinted
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.geometry.height_field import Plane
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.lambert import wrapped_cosine

LAMP_SIZE = (0.3, 0.8)
"""Angular half size of a soft lamp, for its own shadow."""
FILL_ELEVATIONS = (-35.0, 40.0)
"""Fill comes from the sides, partly from behind: fill from the camera would flatten the face."""
FILL_PEAK = 0.6
"""Fill at its brightest, relative to the key: equal to the key it would hide where that stands."""
SHADOW_FLOOR = 0.25
"""A soft lamp is never quite hidden: light comes around."""


@dataclass(frozen=True)
class SoftLight:
    """What a soft light's shape is, before its strength is drawn."""

    light: Direction
    seen: Plane | None
    fill: Plane
    numbers: Numbers


def cast(scene: Scene, light: Direction, family: lights.SoftShading, rng: Generator) -> SoftLight:
    """Draw what does not change when the strength is drawn again: the fill lights and the self shadow."""
    lamp_size = uniform(rng, LAMP_SIZE)
    shadowed = bool(rng.random() < family.self_shadow_probability)
    lobes = int(rng.integers(1, 3))
    turns, sizes, bands = rng.random(2), 0.5 + 0.5 * rng.random(2), 0.85 + 0.15 * rng.random((2, 2))
    low, high = (np.sin(np.radians(end)) for end in FILL_ELEVATIONS)
    heights = low + (high - low) * rng.random(2)
    fill = np.zeros(scene.shape, np.float32)
    lamps = []
    for lobe in range(lobes):
        elevation, azimuth = float(np.degrees(np.arcsin(heights[lobe]))), 360 * float(turns[lobe])
        lamps += [azimuth, elevation]
        fill += np.float32(sizes[lobe]) * _irradiance(scene, direction(elevation, azimuth), bands[lobe])
    np.maximum(fill, 0, out=fill)
    # By the 99th percentile, so that one bright spot does not darken the rest.
    fill *= np.float32(FILL_PEAK / max(float(np.percentile(scene.sampled(fill), 99)), 1e-3))
    numbers: Numbers = {
        "fill_lights": lamps,
        "fill_sizes": sizes[:lobes].tolist(),
        "fill_damping": bands[:lobes].ravel().tolist(),
        "self_shadow": shadowed,
    }
    if shadowed:
        numbers["lamp_size"] = lamp_size
    return SoftLight(light, visibility(scene, light, lamp_size) if shadowed else None, fill, numbers)


def shine(
    scene: Scene,
    soft: SoftLight,
    family: lights.SoftShading,
    rng: Generator,
    *,
    ambient_range: tuple[float, float],
    push: float,
) -> tuple[NDArray[np.float32], Numbers]:
    """Draw a strength and light the person.

    Args:
        scene: the person.
        soft: from :func:`cast`.
        family: ranges of the recipe.
        rng: for the strength.
        ambient_range: ambient share of the light, linear.
        push: 0 draws from the whole ranges, 1 takes the end that gives the strongest contrast.

    Returns:
        Irradiance (h, w, 3) float32 (1 is a surface facing the light), and what was drawn.
    """
    # Log-uniform is even to the eye; uniform would crowd lights that hardly shade.
    ambient = _pushed(log_uniform(rng, ambient_range), ambient_range[0], push)
    share = _pushed(uniform(rng, family.key_share_range), family.key_share_range[1], push)
    wrap = _pushed(uniform(rng, family.wrap_range), family.wrap_range[0], push)
    falloff = _pushed(uniform(rng, family.falloff_range), family.falloff_range[1], push)
    key_kelvin = log_uniform(rng, family.key_temperature_range)
    key_tint = uniform(rng, family.key_tint_range)
    ambient_kelvin = log_uniform(rng, family.ambient_temperature_range)
    key = wrapped_cosine(scene.toward(soft.light), wrap)
    if falloff != 1:
        key = cv2.pow(key, falloff)
    if soft.seen is not None:
        key *= np.float32(SHADOW_FLOOR) + np.float32(1 - SHADOW_FLOOR) * soft.seen
    key = scene.fade_rim(key)
    key *= np.float32((1 - ambient) * share)
    fill = soft.fill * np.float32((1 - ambient) * (1 - share))
    key_color, ambient_color = tinted(key_kelvin, key_tint), tinted(ambient_kelvin, family.ambient_tint)
    planes = [key * key_color[c] + (fill + np.float32(ambient) * ambient_color[c]) for c in range(3)]
    numbers: Numbers = {
        "ambient": ambient,
        "key_share": share,
        "wrap": wrap,
        "falloff": falloff,
        "key_temperature": key_kelvin,
        "key_tint": key_tint,
        "ambient_temperature": ambient_kelvin,
        "ambient_tint": float(family.ambient_tint),
    }
    return cv2.merge(planes), numbers


def _irradiance(scene: Scene, light: Direction, damping: NDArray[np.float64]) -> Plane:
    # Order-2 irradiance of a distant light (Ramamoorthi, Hanrahan, SIGGRAPH 2001).  By the addition
    # theorem the nine terms of one light collapse into Legendre polynomials of the cosine.
    cosine = scene.toward(light)
    first, second = np.float32(0.5 * damping[0]), np.float32(0.3125 * damping[1])
    return np.float32(0.25) + first * cosine + second * (np.float32(1.5) * cosine * cosine - np.float32(0.5))


def _pushed(value: float, end: float, push: float) -> float:
    return value + (end - value) * push
