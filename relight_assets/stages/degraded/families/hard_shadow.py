"""One small lamp: the head's own shadow falls on the face, and often that of something between the two.

A pattern is projected along the light onto the height field; its edge widens across the image as the pattern's
distance does; and red bleeds farther into the shadow than blue, as in skin (after Zhang et al., "Portrait Shadow
Manipulation", SIGGRAPH 2020).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import PATTERN_ELEVATION, HardShadow, ShadowKinds
from relight_assets.core.arrays import LinearRgb
from relight_assets.core.color import tinted
from relight_assets.core.rng import log_uniform, uniform, weighted
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.filters import smooth
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading, second_numbers
from relight_assets.stages.degraded.shading import lamp, lamp_place, shadow_patterns
from relight_assets.stages.degraded.shading.metrics import (
    AMBIENT_TEMPERATURE,
    HAS_PATTERN,
    KEY_TEMPERATURE,
    PATTERN,
    PENUMBRA,
    SELF_SHADOW,
    WRAP,
)
from relight_assets.stages.metric import SHARE, TEXT, Metric, one_of

LAMP_SIZE = (0.03, 0.10)
"""Angular half size of the lamp, radians, for the head's own shadow: a small lamp."""
WIDENING = (1.0, 4.0)
"""Width of the widest penumbra over that of the narrowest, in one image."""
TINT = 0.5
"""Share of a lamp's colour that is left after a camera's white balance."""
SUBSURFACE = (1.0, 0.45, 0.25)
"""How far light bleeds in skin, R, G and B relative to R."""
PLAIN_SHARE = 0.35
"""Part of the range of shadow levels, from the deepest on, without a pattern: the head's own shadow alone is less seen
than a pattern's many edges."""
NONE = "none"
"""The kind that is no pattern."""
CUSTOM = "custom"
"""The kind that takes the user's own patterns."""

_SHADOW = (
    Metric("pattern_type", one_of(*ShadowKinds.model_fields), "Kind of pattern"),
    Metric("pattern_file", TEXT, "File name of a pattern of the user's own"),
    *PATTERN,
    *PENUMBRA,
    *SELF_SHADOW,
    Metric("subsurface", SHARE, "Distance that red bleeds into the shadow", "subject size"),
    Metric("shadow_coverage", SHARE, "Share of the person in shadow"),
    Metric("shadow_level", SHARE, "Umbra over lit, linear"),
)


@dataclass(frozen=True)
class Shadow:
    """What is in the light's way.

    ``visibility`` is (h, w, 3) float32 in 0..1 per channel, 1 where the lamp is visible.
    """

    light: Direction
    visibility: LinearRgb
    numbers: Numbers


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the kind of shadow, the key light and the shadow."""
    options, streams, purpose = sampler.degradation.hard_shadow, sampler.streams, "hard_shadow/light"
    kind = weighted(streams("hard_shadow/kind"), options.kinds.model_dump())
    if kind == NONE:
        score = lamp_place.shadow_score(sampler.scene)
    else:
        sampler, score = replace(sampler, least_elevation=PATTERN_ELEVATION), lamp_place.anywhere
    direction = lamp_place.draw(sampler, purpose, options.elevation_range, score)
    shape = streams("hard_shadow/shape")
    shadow = sample_shadow(sampler.scene, direction, kind, options, shape, own_gobos=sampler.gobos)

    def render(rng: Generator, strength_bias: float) -> Shading:
        light, numbers = render_shadow(sampler.scene, shadow, options, rng, strength_bias=strength_bias)
        return Shading(light, None, numbers)

    return SampledLight(direction, shadow.numbers, render)


def add(sampler: LightSampler, first: SampledLight) -> SampledLight:
    """Put a shadow into another family's light, its highlights included; its depth is drawn once."""
    options, streams = sampler.degradation.hard_shadow, sampler.streams
    kinds = options.kinds.model_dump()
    # The head's own shadow is in the other light already.
    patterns = {name: weight for name, weight in kinds.items() if name != NONE and weight > 0}
    kind = weighted(streams("second/kind"), patterns or kinds)
    shape = streams("second/shape")
    shadow = sample_shadow(
        sampler.scene, first.direction, kind, options, shape, own_gobos=sampler.gobos, on_itself=kind == NONE
    )
    level = log_uniform(streams("second/strength"), options.shadow_level)
    attenuation = np.float32(level) + np.float32(1 - level) * shadow.visibility

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = first.render(rng, strength_bias)
        highlight = None if shading.highlight is None else shading.highlight * shadow.visibility
        return replace(shading, light=shading.light * attenuation, highlight=highlight)

    numbers = second_numbers(shadow.numbers | {"shadow_level": level})
    pattern: Numbers = {key: shadow.numbers[key] for key in ("has_pattern", "pattern_type")}
    return SampledLight(first.direction, first.numbers | numbers | pattern, render)


def sample_shadow(
    scene: Scene,
    light: Direction,
    kind: str,
    options: HardShadow,
    rng: Generator,
    *,
    own_gobos: Gobos = NO_GOBOS,
    on_itself: bool = True,
) -> Shadow:
    """Draw a pattern of a kind, and project its shadow, and where ``on_itself`` the head's own, onto the person."""
    lamp_size = uniform(rng, LAMP_SIZE)
    penumbra = log_uniform(rng, options.penumbra_range)
    widening = uniform(rng, WIDENING)
    subsurface = uniform(rng, options.subsurface_range)
    numbers: Numbers = {"has_pattern": kind != NONE, "pattern_type": kind, "self_shadow": on_itself}
    plane = np.ones(scene.shape, np.float32)
    if kind != NONE:
        if kind == CUSTOM:
            name = sorted(own_gobos)[int(rng.integers(len(own_gobos)))]
            numbers["pattern_file"] = name
            draw_pattern = shadow_patterns.custom(scene, own_gobos[name])
        else:
            draw_pattern = shadow_patterns.procedural(scene, kind, options.coverage_range)
        sharp, placement = shadow_patterns.place(scene, light, draw_pattern, options.coverage_range, rng)
        plane = shadow_patterns.with_penumbra(sharp, scene.size * penumbra, widening, rng)
        numbers |= placement
        numbers |= {"penumbra": penumbra, "penumbra_widening": widening}
    if on_itself:
        plane = plane * visibility(scene, light, lamp_size)
        numbers["lamp_size"] = lamp_size
    numbers["subsurface"] = subsurface
    numbers["shadow_coverage"] = float(1 - scene.sampled(plane).mean(dtype=np.float64))
    bleeding = [smooth(plane, subsurface * scene.size * reach) for reach in SUBSURFACE]
    return Shadow(light, cv2.merge(bleeding), numbers)


def render_shadow(
    scene: Scene, shadow: Shadow, options: HardShadow, rng: Generator, *, strength_bias: float
) -> tuple[LinearRgb, Numbers]:
    """Draw a strength and light the person: (h, w, 3) float32 irradiance, and what was drawn.

    A ``strength_bias`` of 0 draws from the whole ranges, 1 takes the deepest shadow.
    """
    low, high = options.shadow_level
    if shadow.numbers["pattern_type"] == NONE:
        high = low + (high - low) * PLAIN_SHARE
    level = log_uniform(rng, (low, high))
    level += (low - level) * strength_bias
    wrap = uniform(rng, options.wrap_range)
    wrap += (options.wrap_range[0] - wrap) * strength_bias
    key_kelvin = log_uniform(rng, options.key_temperature_range)
    ambient_kelvin = log_uniform(rng, options.ambient_temperature_range)
    key_color, ambient_color = tinted(key_kelvin, TINT), tinted(ambient_kelvin, TINT)
    keys = lamp.key_light(scene, shadow.light, wrap, cv2.split(shadow.visibility))
    ambient = scene.normals[2] * np.float32(0.25 * level) + np.float32(0.75 * level)
    planes = [ambient * ambient_color[c] + key * ((1 - level) * key_color[c]) for c, key in enumerate(keys)]
    numbers: Numbers = {
        "shadow_level": level,
        "wrap": wrap,
        "key_temperature": key_kelvin,
        "ambient_temperature": ambient_kelvin,
    }
    light = cv2.merge(planes)
    return (lamp.aimed(scene, light) if shadow.numbers["pattern_type"] == NONE else light), numbers


FAMILY = LightFamily(
    "hard_shadow",
    HardShadow,
    sample,
    add=add,
    metrics=(*_SHADOW, WRAP, KEY_TEMPERATURE, AMBIENT_TEMPERATURE),
    second_metrics=(HAS_PATTERN, *_SHADOW),
    remedy="raise `opacity_range`",
    least_elevation=PATTERN_ELEVATION,
)
