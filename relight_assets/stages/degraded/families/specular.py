"""A soft light with one or two highlights on the skin."""

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import Specular
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading, second_numbers
from relight_assets.stages.degraded.shading import highlights, soft_light
from relight_assets.stages.degraded.shading.metrics import HIGHLIGHT, SOFT_LIGHT

SECOND_LAMP = 0.5
"""Probability of a second lamp."""


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the lamps, the shape of the soft light and the skin."""
    scene, options, streams = sampler.scene, sampler.degradation.specular, sampler.streams
    soft_options = sampler.degradation.soft_shading
    lamps = [sampler.key_light("specular/light", options.elevation_range)]
    if streams("specular/lamps").random() < SECOND_LAMP:
        lamps.append(sampler.second_lamp("specular/second_light", options.elevation_range))
    soft = soft_light.sample(scene, lamps[0], soft_options, streams("specular/shape"))
    highlight = highlights.sample(scene, lamps, options.roughness, streams("specular/skin"), soft.visibility)

    def render(rng: Generator, strength_bias: float) -> Shading:
        light, numbers = soft_light.render(
            scene, soft, soft_options, rng, ambient_range=options.ambient_linear, strength_bias=strength_bias
        )
        gain = highlights.draw_gain(rng, options.gain, strength_bias, highlight.max_gain)
        return Shading(light, highlight.light * np.float32(gain), numbers | {"specular_gain": gain})

    return SampledLight(lamps[0], soft.numbers | highlight.numbers, render)


def add(sampler: LightSampler, first: SampledLight) -> SampledLight:
    """Add a highlight of the same lamp; its gain is drawn once."""
    options, streams = sampler.degradation.specular, sampler.streams
    highlight = highlights.sample(sampler.scene, [first.direction], options.roughness, streams("second/skin"))
    gain = highlights.draw_gain(streams("second/strength"), options.gain, 0.0, highlight.max_gain)
    added = highlight.light * np.float32(gain)

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = first.render(rng, strength_bias)
        both = added if shading.highlight is None else shading.highlight + added
        return Shading(shading.light, both, shading.numbers)

    numbers = second_numbers(highlight.numbers | {"specular_gain": gain})
    return SampledLight(first.direction, first.numbers | numbers, render)


FAMILY = LightFamily(
    "specular",
    Specular,
    sample,
    add=add,
    metrics=(*SOFT_LIGHT, *HIGHLIGHT),
    second_metrics=HIGHLIGHT,
    remedy="lower `ambient_range` or raise `intensity_range`",
)
