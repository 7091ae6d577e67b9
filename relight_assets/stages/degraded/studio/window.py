"""A large window beside the person: soft, near, so that light falls off across it, and often with its bars' shadows."""

import numpy as np
from numpy.random import Generator

from relight_assets.core.arrays import Plane
from relight_assets.core.color import tinted
from relight_assets.core.rng import is_varied, log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.scene import Numbers
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, lamp_place, shadow_patterns
from relight_assets.stages.degraded.studio import lamps

ABOVE = (0.0, 45.0)
"""Angle above the level of the head, degrees."""
SIZES, WITH_BARS = (0.20, 0.36), (0.08, 0.14)
"""Angular half size, radians, of a window without and with the shadows of bars: those of a small, far one are seen."""
WRAP, FILLED = 0.12, 0.12
"""How far its light reaches around, and how much of it there is in shadows: walls throw it back."""
DISTANCES = (1.3, 2.2)
"""Of the window from the head, in heights of the head."""
BARS = 0.8
"""How often the shadows of its bars are seen."""
PENUMBRA, ANY_PENUMBRA = (0.010, 0.022), (0.006, 0.06)
"""Width of their edges, in units of s, and that of windows which differ in their softness alone."""
SHADE = 0.22
"""Share of the light in them."""
COVERAGE = (0.25, 0.55)
"""Share of the person in the shadows of bars and frame."""
HIGHEST = 42.0
"""Toward the camera, degrees: from the side."""


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the window's place, and the shadows of its bars."""
    scene, shape = sampler.scene, sampler.streams("studio/shape")
    low, high = sampler.degradation.studio.elevation_range
    score = lamp_place.away(sampler, lamp_place.change_score(scene))

    def place(purpose: str) -> tuple[Direction, float]:
        rng = part_of(sampler.streams(purpose), Attribute.DIRECTION)
        light = lamps.beside(rng, lamps.draw_side(rng), (min(low, HIGHEST), min(high, HIGHEST)), ABOVE)
        return light, score(light)

    light = lamp_place.best_of("studio/light", place)
    distance, bars = uniform(shape, DISTANCES), float(shape.random()) < BARS
    falloff = lamps.near(scene, (light.x * distance, light.y * distance, light.z * distance))
    numbers: Numbers = {"lamp_distance": distance, "has_pattern": bars, "lamp_bars": True}
    through = None
    if bars:
        widths = ANY_PENUMBRA if is_varied(shape, Attribute.SOFTNESS) else PENUMBRA
        penumbra = log_uniform(part_of(shape, Attribute.SOFTNESS), widths)
        draw = shadow_patterns.procedural(scene, "window", COVERAGE)
        sharp, placed = shadow_patterns.place(scene, light, draw, COVERAGE, shape)
        through = shadow_patterns.with_penumbra(sharp, penumbra * scene.size, 2.0, shape)
        falloff = falloff * (np.float32(SHADE) + np.float32(1 - SHADE) * through)
        numbers |= {**placed, "penumbra": penumbra, "penumbra_widening": 2.0}
    beam = lamps.beam(scene, light, shape, WITH_BARS if bars else SIZES, wrap=WRAP, falloff=falloff, filled=FILLED)
    roughness, skin = sampler.degradation.studio.roughness, sampler.streams("studio/skin")
    gloss = highlights.sample(scene, light, roughness, skin, beam.of.visible, gloss=True)

    def render(rng: Generator, strength_bias: float) -> Shading:
        ambient = 1.3 * lamps.draw_ambient(sampler, rng, strength_bias)
        color = part_of(rng, Attribute.COLOR)
        kelvin = log_uniform(color, (5200, 7500))
        room = ambient * tinted(log_uniform(color, (3600, 5600)), 0.5)
        lights = [(beam.planes, tinted(kelvin, 0.5)), (lamps.even(beam.of.room), room)]
        light, ambient_share = lamps.summed(lights), lamps.ambient_of(lights[1:], lights)
        drawn: Numbers = {"ambient": ambient, "key_temperature": kelvin, "key_tint": 0.5}
        shading = Shading(
            lamps.finished(scene, light, beam.of.occlusion, is_near=True), None, drawn, ambient=ambient_share
        )
        return highlights.add_highlight(scene, shading, gloss, lamps.draw_gain(rng, (0.3, 0.55)))

    def visible() -> Plane:
        return beam.of.visible if through is None else beam.of.visible * through

    return SampledLight(light, lamps.named("window", {**beam.of.numbers, **numbers}), render, visible=visible)
