"""Lamps at the camera: a ring around its lens, and a beauty dish over it.

A ring has no shadows.  It is known by what it does with distance and angle: the middle of a face is bright and shines,
all that turns away or lies behind is dark.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from relight_assets.core.color import tinted
from relight_assets.core.rng import log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.geometry.scene import Numbers
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, lamp_place
from relight_assets.stages.degraded.studio import lamps


@dataclass(frozen=True)
class Frontal:
    """A kind of lamp at the camera."""

    kind: str
    elevations: tuple[float, float]
    """Toward the camera, degrees."""
    azimuths: tuple[float, float]
    """Around the face, degrees; 90 = above."""
    sizes: tuple[float, float]
    """Angular half size, radians."""
    distances: tuple[float, float]
    """From the head, in heights of the head."""
    power: float
    """Exponent of the cosine: how soon what turns away is dark."""
    gains: tuple[float, float]
    """Of the highlight, over physical skin."""
    filled: float
    """Share of its light in the head's own shadow."""
    on_face: float
    """Share of the usual light on the face that is enough."""
    hole: float
    """Radius of the dark middle over that of the lamp, as an eye shows it."""
    fixed: frozenset[Attribute] = frozenset()
    """What none of its kind differ in."""
    gloss: bool = False
    """Whether its highlight is too broad to show the skin's texture."""


RING = Frontal(
    "ring",
    (84, 89),
    (60, 120),
    (0.24, 0.32),
    (0.85, 1.2),
    2.8,
    (0.5, 0.8),
    0.0,
    0.5,
    0.66,
    fixed=frozenset({Attribute.DIRECTION}),
    gloss=True,
)
DISH = Frontal("dish", (45, 58), (30, 150), (0.14, 0.22), (1.5, 2.2), 1.4, (0.6, 1.0), 0.06, 0.6, 0.35)


def ring(sampler: LightSampler) -> SampledLight:
    """Draw a ring around the camera's lens."""
    return _sample(sampler, RING)


def dish(sampler: LightSampler) -> SampledLight:
    """Draw a beauty dish beside the camera, seldom over it."""
    return _sample(sampler, DISH)


def _sample(sampler: LightSampler, kind: Frontal) -> SampledLight:
    scene, shape = sampler.scene, sampler.streams("studio/shape")
    score = lamp_place.away(sampler, lamp_place.change_score(scene))

    def place(purpose: str) -> tuple[Direction, float]:
        rng = part_of(sampler.streams(purpose), Attribute.DIRECTION)
        light = direction(uniform(rng, kind.elevations), uniform(rng, kind.azimuths))
        too_high = lamp_place.is_too_high(light, float(rng.random()))
        return light, score(light) - lamp_place.TOO_HIGH * too_high

    light = lamp_place.best_of("studio/light", place)
    distance = uniform(shape, kind.distances)
    falloff = lamps.near(scene, (light.x * distance, light.y * distance, light.z * distance))
    beam = lamps.beam(scene, light, shape, kind.sizes, wrap=0.0, falloff=falloff, filled=kind.filled)
    planes = [cv2.pow(np.maximum(plane, 0), kind.power) for plane in beam.planes]
    roughness, skin = sampler.degradation.studio.roughness, sampler.streams("studio/skin")
    shine = highlights.sample(scene, light, roughness, skin, beam.of.visible, gloss=kind.gloss)
    numbers: Numbers = {**beam.of.numbers, "lamp_distance": distance, "lamp_hole": kind.hole}

    def render(rng: Generator, strength_bias: float) -> Shading:
        ambient = 0.7 * lamps.draw_ambient(sampler, rng, strength_bias)
        color = part_of(rng, Attribute.COLOR)
        kelvin = log_uniform(color, (4800, 6500))
        room = ambient * tinted(log_uniform(color, (3200, 8000)), 0.5)
        lights = [(planes, tinted(kelvin, 0.4)), (lamps.even(beam.of.room), room)]
        light, ambient_share = lamps.summed(lights), lamps.ambient_of(lights[1:], lights)
        drawn: Numbers = {"ambient": ambient, "key_temperature": kelvin, "key_tint": 0.4}
        shading = Shading(
            lamps.finished(scene, light, beam.of.occlusion, is_near=True), None, drawn, ambient=ambient_share
        )
        return highlights.add_highlight(scene, shading, shine, highlights.draw_gain(rng, kind.gains, strength_bias))

    named = lamps.named(kind.kind, numbers)
    return SampledLight(light, named, render, on_face=kind.on_face, fixed=kind.fixed, visible=lambda: beam.of.visible)
