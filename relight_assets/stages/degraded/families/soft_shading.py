"""One wide lamp that lights the face from its side, and a faint gloss on the skin."""

from numpy.random import Generator

from relight_assets.config.recipe.families import SoftShading
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, lamp, lamp_place
from relight_assets.stages.degraded.shading.metrics import HIGHLIGHT, LAMP, UP_TO_0_2


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the place of the lamp, its size and the skin."""
    scene, options, streams = sampler.scene, sampler.degradation.soft_shading, sampler.streams
    score = lamp_place.shading_score(scene)
    direction = lamp_place.draw(sampler, "soft_shading/light", options.elevation_range, score)
    key = lamp.sample(scene, direction, streams("soft_shading/shape"), lamp.WIDE_LAMP)
    skin, gloss = streams("soft_shading/skin"), None
    if options.specular_gain[1] > 0:
        gloss = highlights.sample(scene, direction, options.roughness, skin, key.visible, gloss=True)

    def render(rng: Generator, strength_bias: float) -> Shading:
        shading = lamp.render(scene, key, options, rng, strength_bias=strength_bias)
        if gloss is None:
            return shading
        gain = highlights.draw_gain(rng, options.specular_gain, 0.0)  # a glossier skin is no other light
        return highlights.add_highlight(scene, shading, gloss, gain)

    return SampledLight(direction, key.numbers, render, visible=lambda: key.visible)


FAMILY = LightFamily(
    "soft_shading",
    SoftShading,
    sample,
    metrics=(*LAMP, *HIGHLIGHT, *UP_TO_0_2),
    remedy="lower `ambient_range`",
    varies=frozenset(Attribute) - {Attribute.PATTERN},
)
