"""A screen below the face, in a dark room: a wide lamp near the chin, in the cold white of screens."""

from numpy.random import Generator

from relight_assets.core.color import of_luminance_1, tinted
from relight_assets.core.rng import part_of, uniform
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry.scene import Numbers
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights
from relight_assets.stages.degraded.studio import colors, lamps

ELEVATIONS = (35.0, 50.0)
"""Toward the camera, degrees: who looks at a screen has it in front, not under the chin."""
AZIMUTHS = (250.0, 290.0)
"""Around the face, degrees; 270 = straight below."""
SIZES = (0.40, 0.60)
"""Angular half size, radians."""
WRAP, FILLED = 0.30, 0.25
"""How far its light reaches around, and how much of it there is in shadows: desk and chest throw it back."""
DISTANCES = (0.9, 1.4)
"""Of the screen from the head, in heights of the head."""
ON_FACE = 0.6
"""Share of the usual light on the face that is enough: from below, little is needed to be seen."""

FIXED = frozenset({Attribute.SOFTNESS})
"""A small screen is no screen."""


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the screen and its place."""
    scene, shape = sampler.scene, sampler.streams("studio/shape")
    place = part_of(shape, Attribute.DIRECTION)
    light = direction(uniform(place, ELEVATIONS), uniform(place, AZIMUTHS))
    distance = uniform(shape, DISTANCES)
    falloff = lamps.near(scene, (light.x * distance, light.y * distance, light.z * distance))
    beam = lamps.beam(scene, light, shape, SIZES, wrap=WRAP, falloff=falloff, filled=FILLED)
    name = colors.one_of(part_of(shape, Attribute.COLOR), tuple(colors.SCREENS))
    color = of_luminance_1(colors.SCREENS[name])
    roughness, skin = sampler.degradation.studio.roughness, sampler.streams("studio/skin")
    gloss = highlights.sample(scene, light, roughness, skin, beam.of.visible, gloss=True)
    numbers: Numbers = lamps.named("screen", {**beam.of.numbers, "screen": name, "lamp_distance": distance})

    def render(rng: Generator, strength_bias: float) -> Shading:
        ambient = 0.8 * lamps.draw_ambient(sampler, rng, strength_bias)
        room = ambient * tinted(uniform(part_of(rng, Attribute.COLOR), (3200, 4800)), 0.5)
        lights = [(beam.planes, color), (lamps.even(beam.of.room), room)]
        light, ambient_share = lamps.summed(lights), lamps.ambient_of(lights[1:], lights)
        drawn: Numbers = {"ambient": ambient, "lamp_color": color.tolist()}
        lit = lamps.finished(scene, light, beam.of.occlusion, aim=False)
        shading = Shading(lit, None, drawn, ambient=ambient_share)
        return highlights.add_highlight(scene, shading, gloss, lamps.draw_gain(rng, (0.3, 0.55)), color=color)

    return SampledLight(light, numbers, render, on_face=ON_FACE, fixed=FIXED, visible=lambda: beam.of.visible)
