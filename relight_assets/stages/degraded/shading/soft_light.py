"""A wide light: a wrapped key, a smooth fill from spherical harmonics, and an ambient floor."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import SoftShading
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import tinted
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.core.spherical_harmonics import irradiance
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.shading.lambert import wrapped_cosine

LAMP_SIZE = (0.3, 0.8)
"""Angular half size of a soft lamp, radians, for the head's own shadow: up to a wide window."""
FILL_ELEVATIONS = (-35.0, 40.0)
"""Degrees; 90 = toward the camera.  Fill comes from the sides, partly from behind: from the front it flattens faces."""
FILL_PEAK = 0.6
"""Fill at its brightest, relative to the key: equal to the key it would hide where that stands."""
SHADOW_FLOOR = 0.25
"""Share of the key light in the head's own shadow: a soft lamp is never quite hidden."""
FILL_QUANTILE = 99
"""Percentile of the fill that is brought to ``FILL_PEAK``, so that one bright spot does not darken the rest."""


@dataclass(frozen=True)
class SoftLight:
    """The place and the shape of a soft light."""

    light: Direction
    visibility: Plane | None
    """How much of the key each point sees, 0..1; None: no self shadow."""
    fill: Plane
    numbers: Numbers


def sample(scene: Scene, light: Direction, options: SoftShading, rng: Generator) -> SoftLight:
    """Draw the fill lights and the self shadow."""
    lamp_size = uniform(rng, LAMP_SIZE)
    shadowed = bool(rng.random() < options.self_shadow_probability)
    lobes = int(rng.integers(1, 3))
    turns, sizes, bands = rng.random(2), 0.5 + 0.5 * rng.random(2), 0.85 + 0.15 * rng.random((2, 2))
    low, high = (np.sin(np.radians(end)) for end in FILL_ELEVATIONS)
    heights = low + (high - low) * rng.random(2)
    fill = np.zeros(scene.shape, np.float32)
    lamps = []
    for lobe in range(lobes):
        elevation, azimuth = float(np.degrees(np.arcsin(heights[lobe]))), 360 * float(turns[lobe])
        lamps += [azimuth, elevation]
        cosine = scene.toward(direction(elevation, azimuth))
        fill += np.float32(sizes[lobe]) * irradiance(cosine, (bands[lobe, 0], bands[lobe, 1]))
    np.maximum(fill, 0, out=fill)
    fill *= np.float32(FILL_PEAK / max(float(np.percentile(scene.sampled(fill), FILL_QUANTILE)), 1e-3))
    numbers: Numbers = {
        "fill_lights": lamps,
        "fill_sizes": sizes[:lobes].tolist(),
        "fill_damping": bands[:lobes].ravel().tolist(),
        "self_shadow": shadowed,
    }
    if shadowed:
        numbers["lamp_size"] = lamp_size
    return SoftLight(light, visibility(scene, light, lamp_size) if shadowed else None, fill, numbers)


def render(
    scene: Scene,
    soft: SoftLight,
    options: SoftShading,
    rng: Generator,
    *,
    ambient_range: tuple[float, float],
    strength_bias: float,
) -> tuple[LinearRgb, Numbers]:
    """Draw a strength and light the person.

    Args:
        scene: the person.
        soft: from :func:`sample`.
        options: ranges of the recipe.
        rng: for the strength.
        ambient_range: ambient share of the light, linear.
        strength_bias: 0 draws from the whole ranges, 1 takes the end that gives the strongest contrast.

    Returns:
        Irradiance (h, w, 3) float32 (1 is a surface facing the light), and what was drawn.
    """
    # Log-uniform is even to the eye; uniform would crowd lights that hardly shade.
    ambient = _biased(log_uniform(rng, ambient_range), ambient_range[0], strength_bias)
    share = _biased(uniform(rng, options.key_share_range), options.key_share_range[1], strength_bias)
    wrap = _biased(uniform(rng, options.wrap_range), options.wrap_range[0], strength_bias)
    falloff = _biased(uniform(rng, options.falloff_range), options.falloff_range[1], strength_bias)
    key_kelvin = log_uniform(rng, options.key_temperature_range)
    key_tint = uniform(rng, options.key_tint_range)
    ambient_kelvin = log_uniform(rng, options.ambient_temperature_range)
    key = wrapped_cosine(scene.toward(soft.light), wrap)
    if falloff != 1:
        key = cv2.pow(key, falloff)
    if soft.visibility is not None:
        key *= np.float32(SHADOW_FLOOR) + np.float32(1 - SHADOW_FLOOR) * soft.visibility
    key = scene.fade_rim(key)
    key *= np.float32((1 - ambient) * share)
    fill = soft.fill * np.float32((1 - ambient) * (1 - share))
    key_color, ambient_color = tinted(key_kelvin, key_tint), tinted(ambient_kelvin, options.ambient_tint)
    planes = [key * key_color[c] + (fill + np.float32(ambient) * ambient_color[c]) for c in range(3)]
    numbers: Numbers = {
        "ambient": ambient,
        "key_share": share,
        "wrap": wrap,
        "falloff": falloff,
        "key_temperature": key_kelvin,
        "key_tint": key_tint,
        "ambient_temperature": ambient_kelvin,
        "ambient_tint": float(options.ambient_tint),
    }
    return cv2.merge(planes), numbers


def _biased(value: float, strongest: float, bias: float) -> float:
    return value + (strongest - value) * bias
