"""One lamp that lights the face from its side, and its highlight on the skin."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.families import Specular
from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading, second_numbers
from relight_assets.stages.degraded.shading import highlights, lamp, lamp_place
from relight_assets.stages.degraded.shading.metrics import HIGHLIGHT, LAMP
from relight_assets.stages.quantiles import quantile


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the place of the lamp, its size and the skin."""
    scene, options, streams = sampler.scene, sampler.degradation.specular, sampler.streams
    score = lamp_place.shining_score(scene)
    direction = lamp_place.draw(sampler, "specular/light", options.elevation_range, score)
    key = lamp.sample(scene, direction, streams("specular/shape"))
    highlight = highlights.sample(scene, direction, options.roughness, streams("specular/skin"), key.visible)

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = lamp.render(scene, key, options, rng, strength_bias=strength_bias)
        gain = highlights.draw_gain(rng, options.gain, strength_bias)
        return highlights.add_highlight(scene, shading, highlight, gain)

    return SampledLight(direction, key.numbers, render, visible=lambda: key.visible)


def add(sampler: LightSampler, first: SampledLight) -> SampledLight:
    """Add a highlight of the same lamp, where it shines; its gain is drawn once."""
    scene, options, streams = sampler.scene, sampler.degradation.specular, sampler.streams
    highlight = highlights.sample(scene, first.direction, options.roughness, streams("second/skin"))
    gain = highlights.draw_gain(streams("second/strength"), options.gain, 0.0)

    def added_to(light: SampledLight) -> SampledLight:
        def render(rng: Generator, strength_bias: float) -> Shading:
            of_first = deepcopy(rng)
            shading = light.render(rng, strength_bias)
            # As bright where a pattern was taken away as with it.
            bright = shading.light if light is first else first.render(of_first, strength_bias).light
            shown = _lit_share(scene, shading.light, bright)
            lit = highlights.add_highlight(scene, shading, highlight, gain, shown, bright=bright)
            own = {name: value for name, value in lit.numbers.items() if name in _SECOND}
            return replace(lit, numbers=shading.numbers | second_numbers(own))

        return SampledLight(light.direction, light.numbers, render, visible=light.visible)

    bare = first.without_pattern
    return replace(added_to(first), without_pattern=None if bare is None else lambda: added_to(bare()))


def _lit_share(scene: Scene, light: LinearRgb, bright: LinearRgb) -> Plane:
    # A pattern's shadow has no highlight.
    full = quantile(scene.sampled(luminance(bright)), LIT_QUANTILE)
    return np.minimum(luminance(light) * np.float32(1 / max(full, 1e-4)), 1)


LIT_QUANTILE = 0.8
"""Quantile of the irradiance on the person from which a point is fully lit."""
_SECOND = {metric.name for metric in HIGHLIGHT}

FAMILY = LightFamily(
    "specular",
    Specular,
    sample,
    add=add,
    metrics=(*LAMP, *HIGHLIGHT),
    second_metrics=HIGHLIGHT,
    remedy="lower `ambient_range` or raise `intensity_range`",
    varies=frozenset(Attribute) - {Attribute.PATTERN},
)
