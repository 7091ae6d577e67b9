"""A light family in one file: a key light over an ambient floor, with numbers of its own."""

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.family_options import FamilyWeight, KeyLightOptions, LightElevations, MinStrength
from relight_assets.config.recipe.types import UnitRange
from relight_assets.core.rng import uniform
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading, second_numbers
from relight_assets.stages.degraded.shading.metrics import AMBIENT
from relight_assets.stages.metric import Metric, number

DIMMING = 0.5


class Tiny(KeyLightOptions):
    """A lamp and nothing else."""

    weight: FamilyWeight = 0.0
    min_strength: MinStrength = 0.3
    elevation_range: LightElevations = (10.0, 60.0)
    ambient_range: UnitRange = (0.1, 0.3)
    """Share of light that is everywhere, linear."""


def _options(sampler: LightSampler) -> Tiny:
    found = sampler.degradation.families["tiny"]
    assert isinstance(found, Tiny)
    return found


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the place of the lamp."""
    options = _options(sampler)
    direction = sampler.key_light("tiny/light", options.elevation_range)
    key = np.maximum(sampler.scene.toward(direction), 0)[..., None]

    def render(rng: Generator, strength_bias: float) -> Shading:
        ambient = uniform(rng, options.ambient_range)
        ambient += (options.ambient_range[0] - ambient) * strength_bias
        light = np.repeat(np.float32(ambient) + np.float32(1 - ambient) * key, 3, axis=2)
        flicker = uniform(rng, (0.0, 0.1))
        return Shading(light * np.float32(1 - flicker), None, {"ambient": ambient, "flicker": flicker})

    return SampledLight(direction, {}, render)


def add(_sampler: LightSampler, first: SampledLight) -> SampledLight:
    """Dim another family's light."""

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = first.render(rng, strength_bias)
        return Shading(shading.light * np.float32(DIMMING), shading.highlight, shading.numbers)

    return SampledLight(first.direction, first.numbers | second_numbers({"dimming": DIMMING}), render)


FAMILY = LightFamily(
    "tiny",
    Tiny,
    sample,
    add=add,
    metrics=(
        AMBIENT,
        Metric("flicker", number(0, 0.1), "Share of its light that the lamp lacks", "lamps"),
    ),
    second_metrics=(Metric("dimming", number(0, 1), "Factor on the other family's light"),),
    remedy="lower tiny's `ambient_range`",
)
