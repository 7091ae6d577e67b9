"""Highlights on skin: two GGX lobes, one wide and one narrow (Walter et al., EGSR 2007)."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import tinted
from relight_assets.core.rng import log_uniform, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene

F0 = 0.028
"""Reflectance of skin at normal incidence."""
WIDE_SHARE = 0.90
"""Weight of the wide lobe; the narrow one has the rest."""
NARROW_ROUGHNESS, MIN_ROUGHNESS = 0.6, 0.24
"""Roughness of the narrow lobe over that of the wide one, and its least."""
SOFTNESS = 0.012
"""Blur of a highlight, in units of s: lamps have a size, and a mesh has facets."""
MAX_GAIN = 3.0
"""Gain over physical skin above which skin looks wet."""
MAX_PEAK, MAX_PEAK_PER_ALBEDO = 0.12, 0.7
"""Linear light that a highlight may add at its peak, and the share of the skin's luminance that it may add to that."""
PEAK_QUANTILE = 0.995
"""Quantile over the head that counts as a highlight's peak."""
KELVINS = (3000.0, 7500.0)
"""Colour temperatures of the lamps, kelvin."""
TINT = 0.5
"""Share of a lamp's colour that is left after a camera's white balance."""
SILHOUETTE_MARGIN = 0.008
"""Width of the band along the silhouette without highlights, in units of s: there normals are guessed."""


@dataclass(frozen=True)
class Highlight:
    """The highlight of unit gain, (h, w, 3) float32 linear, the gain above which it looks wet, and what was drawn."""

    light: LinearRgb
    max_gain: float
    numbers: Numbers


def sample(
    scene: Scene,
    lights: list[Direction],
    roughness_range: tuple[float, float],
    rng: Generator,
    visibility: Plane | None = None,
) -> Highlight:
    """Draw the skin and the lamps' colours, and compute highlights of unit gain.

    Args:
        scene: the person.
        lights: one or two directions, the key first.
        roughness_range: GGX roughness, low to high.
        rng: for roughness and colours.
        visibility: how much of the key each point sees, (h, w) float32 in 0..1; None: all.
    """
    roughness = uniform(rng, roughness_range)
    kelvins = [log_uniform(rng, KELVINS) for _ in lights]
    total = np.zeros((*scene.shape, 3), np.float32)
    for number, (light, kelvin) in enumerate(zip(lights, kelvins, strict=True)):
        lobe = np.float32(WIDE_SHARE) * ggx(scene, light, roughness)
        lobe += np.float32(1 - WIDE_SHARE) * ggx(scene, light, max(NARROW_ROUGHNESS * roughness, MIN_ROUGHNESS))
        if visibility is not None and number == 0:
            lobe *= visibility
        lobe = smooth(lobe, SOFTNESS * scene.size)
        total += lobe[..., None] * tinted(kelvin, TINT)
    edge = SILHOUETTE_MARGIN * scene.size
    rim = smoothstep((scene.inward - np.float32(edge)) / np.float32(max(2 * edge, 1.0)))
    total *= (rim * scene.gloss)[..., None]
    numbers: Numbers = {
        "roughness": roughness,
        "shininess": float(2 / roughness**4 - 2),
        "highlight_temperatures": kelvins,
        "highlight_lights": [component for light in lights for component in light.vector],
    }
    return Highlight(total, _max_gain(scene, total), numbers)


def draw_gain(
    rng: Generator, gain_range: tuple[float, float], strength_bias: float, max_gain: float = MAX_GAIN
) -> float:
    """Draw the gain over physical skin, at most 3 and ``max_gain``; a ``strength_bias`` of 1 takes the largest."""
    gain = log_uniform(rng, gain_range)
    return min(gain + (gain_range[1] - gain) * strength_bias, MAX_GAIN, max_gain)


def _max_gain(scene: Scene, unit: LinearRgb) -> float:
    # What is added weighs more on dark skin, and a narrow lobe is many times brighter than a wide one.
    peak = float(np.quantile(unit.reshape(-1, 3)[scene.head_samples].max(axis=1), PEAK_QUANTILE))
    return (MAX_PEAK + MAX_PEAK_PER_ALBEDO * scene.skin_light) / max(peak, 1e-6)


def ggx(scene: Scene, light: Direction, roughness: float) -> Plane:
    """Return one lobe, ``pi D F G / (4 n.v)`` under unit light seen from the front, (h, w) float32."""
    length = float(np.sqrt(light.x**2 + light.y**2 + (light.z + 1) ** 2))
    half = Direction(light.x / length, light.y / length, (light.z + 1) / length)
    facing = scene.skin_normals[2]
    lit = np.maximum(scene.toward(light, skin=True), 0)
    along = np.maximum(scene.toward(half, skin=True), 0)
    alpha2 = np.float32(roughness**4)
    spread = along * along * (alpha2 - 1) + 1
    distribution = alpha2 / (spread * spread)  # times pi, which cancels with that of the light
    cosine = light.x * half.x + light.y * half.y + light.z * half.z
    fresnel = np.float32(F0 + (1 - F0) * (1 - cosine) ** 5)
    k = np.float32((roughness + 1) ** 2 / 8)
    shadowing = lit / (lit * (1 - k) + k) * facing / (facing * (1 - k) + k)
    return distribution * shadowing * fresnel * np.float32(0.25) / np.maximum(facing, np.float32(0.15))
