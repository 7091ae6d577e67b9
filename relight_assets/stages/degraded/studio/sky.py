"""Out of doors: sun with its shadows, blue light of the sky from above, warm light of the ground from below."""

import numpy as np
from numpy.random import Generator

from relight_assets.core.color import of_luminance_1, tinted
from relight_assets.core.rng import log_uniform, part_of, uniform
from relight_assets.stages.degraded.geometry.scene import Numbers
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, lamp_place
from relight_assets.stages.degraded.studio import colors, lamps

SIZES = (0.08, 0.16)
"""Angular half size of the sun, radians: far larger than it is (.005), as haze and skin blur its shadows."""
WRAP = 0.10
SUN, SUN_TINT = (3600.0, 5000.0), 0.7
"""Kelvin: from evening to noon; and how much of that is seen, beside the blue of the sky."""
SKY, GROUND = (0.10, 0.20), (0.3, 0.6)
"""Light of the sky over that of the sun, and of the ground over that of the sky."""


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the place of the sun."""
    scene, shape = sampler.scene, sampler.streams("studio/shape")
    score = lamp_place.least(lamp_place.shadow_score(scene), lamp_place.change_score(scene))
    light = lamp_place.draw(sampler, "studio/light", sampler.degradation.studio.elevation_range, score)
    sun = lamps.beam(scene, light, shape, SIZES, wrap=WRAP)
    up = np.float32(0.5) - np.float32(0.5) * scene.normals[1]
    roughness, skin = sampler.degradation.studio.roughness, sampler.streams("studio/skin")
    shine = highlights.sample(scene, light, roughness, skin, sun.of.visible)

    def render(rng: Generator, strength_bias: float) -> Shading:
        strong = part_of(rng, Attribute.STRENGTH)
        sky, ground = log_uniform(strong, SKY), uniform(strong, GROUND)
        kelvin = log_uniform(part_of(rng, Attribute.COLOR), SUN)
        sky += (SKY[0] - sky) * strength_bias
        lights = [
            (sun.planes, tinted(kelvin, SUN_TINT)),
            (lamps.even(up), sky * of_luminance_1(colors.SKY)),
            (lamps.even(1 - up), sky * ground * of_luminance_1(colors.GROUND)),
        ]
        light, ambient_share = lamps.summed(lights), lamps.ambient_of(lights[1:], lights)
        drawn: Numbers = {"key_temperature": kelvin, "key_tint": SUN_TINT, "sky_level": sky, "ground_level": ground}
        shading = Shading(lamps.finished(scene, light, sun.of.occlusion), None, drawn, ambient=ambient_share)
        return highlights.add_highlight(scene, shading, shine, lamps.draw_gain(rng, (0.5, 0.9)))

    return SampledLight(light, lamps.named("sky", sun.of.numbers), render, visible=lambda: sun.of.visible)
