"""Wide light: a wrapped key, a smooth fill and an ambient floor; highlights where the recipe asks for them."""

from numpy.random import Generator

from relight_assets.config.recipe.families import SoftShading
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading
from relight_assets.stages.degraded.shading import highlights, soft_light
from relight_assets.stages.degraded.shading.metrics import HIGHLIGHT, SOFT_LIGHT


def sample(sampler: LightSampler) -> SampledLight:
    """Draw the key light, the fill lights, the self shadow and the skin."""
    scene, options, streams = sampler.scene, sampler.degradation.soft_shading, sampler.streams
    direction = sampler.key_light("soft_shading/light", options.elevation_range)
    soft = soft_light.sample(scene, direction, options, streams("soft_shading/shape"))
    highlight = None
    if options.specular_gain[1] > 0:
        skin = streams("soft_shading/skin")
        highlight = highlights.sample(scene, direction, options.roughness, skin, soft.visibility)

    def render(rng: Generator, strength_bias: float) -> Shading:
        light, numbers = soft_light.render(
            scene, soft, options, rng, ambient_range=options.ambient_linear, strength_bias=strength_bias
        )
        shading = Shading(light, None, numbers)
        if highlight is None:
            return shading
        gain = highlights.draw_gain(rng, options.specular_gain, strength_bias)
        return highlights.add_highlight(scene, shading, highlight, gain)

    return SampledLight(direction, soft.numbers, render)


FAMILY = LightFamily(
    "soft_shading",
    SoftShading,
    sample,
    metrics=(*SOFT_LIGHT, *HIGHLIGHT),
    remedy="lower `ambient_range`",
)
