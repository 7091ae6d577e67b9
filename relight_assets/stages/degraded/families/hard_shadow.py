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
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, planes_of, tinted
from relight_assets.core.rng import is_varied, log_uniform, part_of, uniform, weighted
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.filters import smooth
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.geometry.visibility import visibility
from relight_assets.stages.degraded.gobos import NO_GOBOS, Gobos
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import (
    Attribute,
    LightSampler,
    SampledLight,
    Shading,
    second_numbers,
)
from relight_assets.stages.degraded.shading import lamp, lamp_place, shadow_patterns
from relight_assets.stages.degraded.shading.ambient import share_of
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
SOFTER, MAX_PENUMBRA = 4.0, 0.1
"""How much wider penumbras may be than the recipe's where shadows differ in their softness alone, and the widest, of
the subject's size."""
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
_OF_PATTERNS = {
    "has_pattern",
    "pattern_type",
    "pattern_file",
    "penumbra",
    "penumbra_widening",
    "shadow_coverage",
    *(metric.name for metric in PATTERN),
}
"""Numbers that a light without a pattern has not."""


@dataclass(frozen=True)
class Shadow:
    """What is in the light's way.

    ``visibility`` is (h, w, 3) float32 in 0..1 per channel, 1 where the lamp is visible.
    """

    light: Direction
    visibility: LinearRgb
    numbers: Numbers
    subsurface: float
    """Distance that red bleeds, in units of the subject's size."""
    own: Plane
    """What the head's own shadow alone leaves, (h, w) float32 in 0..1."""

    def without_pattern(self, scene: Scene) -> "Shadow":
        """The head's own shadow alone; the numbers stay, by which a strength is drawn."""
        return replace(self, visibility=_bleeding(scene, self.own, self.subsurface))


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the kind of shadow, the key light and the shadow."""
    options, streams, purpose = sampler.degradation.hard_shadow, sampler.streams, "hard_shadow/light"
    kind = weighted(part_of(streams("hard_shadow/kind"), Attribute.PATTERN), options.kinds.model_dump())
    if kind == NONE:
        score, from_high = lamp_place.shadow_score(sampler.scene), lamp_place.FROM_HIGH
    else:
        sampler, score, from_high = replace(sampler, least_elevation=PATTERN_ELEVATION), lamp_place.anywhere, 1.0
    direction = lamp_place.draw(sampler, purpose, options.elevation_range, score, from_high=from_high)
    shape = streams("hard_shadow/shape")
    shadow = sample_shadow(sampler.scene, direction, kind, options, shape, own_gobos=sampler.gobos)

    def light_of(shadow: Shadow, numbers: Numbers) -> SampledLight:
        def render(rng: Generator, strength_bias: float) -> Shading:
            return render_shadow(sampler.scene, shadow, options, rng, strength_bias=strength_bias)

        return SampledLight(direction, numbers, render, visible=lambda: luminance(shadow.visibility))

    light = light_of(shadow, shadow.numbers)
    if kind == NONE:
        return light
    bare = {name: value for name, value in shadow.numbers.items() if name not in _OF_PATTERNS}
    return replace(light, without_pattern=lambda: light_of(shadow.without_pattern(sampler.scene), bare))


def add(sampler: LightSampler, first: SampledLight) -> SampledLight:
    """Put a shadow into another family's light, its highlights included; its depth is drawn once."""
    options, streams = sampler.degradation.hard_shadow, sampler.streams
    kinds = options.kinds.model_dump()
    # The head's own shadow is in the other light already.
    patterns = {name: weight for name, weight in kinds.items() if name != NONE and weight > 0}
    kind = weighted(part_of(streams("second/kind"), Attribute.PATTERN), patterns or kinds)
    shape = streams("second/shape")
    shadow = sample_shadow(
        sampler.scene, first.direction, kind, options, shape, own_gobos=sampler.gobos, on_itself=kind == NONE
    )
    level = log_uniform(part_of(streams("second/strength"), Attribute.STRENGTH), options.shadow_level)
    attenuation = np.float32(level) + np.float32(1 - level) * shadow.visibility

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = first.render(rng, strength_bias)
        highlight = None if shading.highlight is None else shading.highlight * shadow.visibility
        return replace(shading, light=shading.light * attenuation, highlight=highlight)

    numbers = second_numbers(shadow.numbers | {"shadow_level": level})
    pattern: Numbers = {key: shadow.numbers[key] for key in ("has_pattern", "pattern_type")}
    bare = (lambda: first) if kind != NONE else None

    def visible() -> Plane:
        own = luminance(shadow.visibility)
        return own if first.visible is None else own * first.visible()

    drawn = first.numbers | numbers | pattern
    return SampledLight(first.direction, drawn, render, without_pattern=bare, visible=visible)


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
    softness, of_pattern = part_of(rng, Attribute.SOFTNESS), part_of(rng, Attribute.PATTERN)
    sizes, penumbras = LAMP_SIZE, options.penumbra_range
    if is_varied(rng, Attribute.SOFTNESS):
        sizes, penumbras = lamp.ANY_LAMP, (penumbras[0], min(penumbras[1] * SOFTER, MAX_PENUMBRA))
    lamp_size = uniform(softness, sizes)
    penumbra = log_uniform(softness, penumbras)
    widening = uniform(softness, WIDENING)
    subsurface = uniform(rng, options.subsurface_range)
    numbers: Numbers = {"has_pattern": kind != NONE, "pattern_type": kind, "self_shadow": on_itself}
    plane = own = np.ones(scene.shape, np.float32)
    if kind != NONE:
        if kind == CUSTOM:
            name = sorted(own_gobos)[int(of_pattern.integers(len(own_gobos)))]
            numbers["pattern_file"] = name
            draw_pattern = shadow_patterns.custom(scene, own_gobos[name])
        else:
            draw_pattern = shadow_patterns.procedural(scene, kind, options.coverage_range)
        sharp, placement = shadow_patterns.place(scene, light, draw_pattern, options.coverage_range, of_pattern)
        plane = shadow_patterns.with_penumbra(sharp, scene.size * penumbra, widening, of_pattern)
        numbers |= placement
        numbers |= {"penumbra": penumbra, "penumbra_widening": widening}
    if on_itself:
        own = visibility(scene, light, lamp_size)
        plane = plane * own
        numbers["lamp_size"] = lamp_size
    numbers["subsurface"] = subsurface
    numbers["shadow_coverage"] = float(1 - scene.sampled(plane).mean(dtype=np.float64))
    return Shadow(light, _bleeding(scene, plane, subsurface), numbers, subsurface, own)


def _bleeding(scene: Scene, visible: Plane, subsurface: float) -> LinearRgb:
    return cv2.merge([smooth(visible, subsurface * scene.size * reach) for reach in SUBSURFACE])


def render_shadow(
    scene: Scene, shadow: Shadow, options: HardShadow, rng: Generator, *, strength_bias: float
) -> Shading:
    """Draw a strength and light the person, without highlights.

    A ``strength_bias`` of 0 draws from the whole ranges, 1 takes the deepest shadow.
    """
    low, high = options.shadow_level
    if shadow.numbers["pattern_type"] == NONE:
        high = low + (high - low) * PLAIN_SHARE
    color = part_of(rng, Attribute.COLOR)
    level = log_uniform(part_of(rng, Attribute.STRENGTH), (low, high))
    level += (low - level) * strength_bias
    wrap = uniform(part_of(rng, Attribute.SOFTNESS), options.wrap_range)
    wrap += (options.wrap_range[0] - wrap) * strength_bias
    key_kelvin = log_uniform(color, options.key_temperature_range)
    ambient_kelvin = log_uniform(color, options.ambient_temperature_range)
    key_color, ambient_color = tinted(key_kelvin, TINT), tinted(ambient_kelvin, TINT)
    keys = lamp.key_light(scene, shadow.light, wrap, planes_of(shadow.visibility))
    ambient = scene.normals[2] * np.float32(0.25 * level) + np.float32(0.75 * level)
    planes = [ambient * ambient_color[c] + key * ((1 - level) * key_color[c]) for c, key in enumerate(keys)]
    numbers: Numbers = {
        "shadow_level": level,
        "wrap": wrap,
        "key_temperature": key_kelvin,
        "ambient_temperature": ambient_kelvin,
    }
    light = cv2.merge(planes)

    def ambient_share() -> LinearRgb:
        return share_of(cv2.merge([ambient * each for each in ambient_color]), cv2.merge(planes))

    aimed = lamp.aimed(scene, light) if shadow.numbers["pattern_type"] == NONE else light
    return Shading(aimed, None, numbers, ambient=ambient_share)


FAMILY = LightFamily(
    "hard_shadow",
    HardShadow,
    sample,
    add=add,
    metrics=(*_SHADOW, WRAP, KEY_TEMPERATURE, AMBIENT_TEMPERATURE),
    second_metrics=(HAS_PATTERN, *_SHADOW),
    remedy="raise `opacity_range`",
    least_elevation=PATTERN_ELEVATION,
    varies=frozenset(Attribute),
)
