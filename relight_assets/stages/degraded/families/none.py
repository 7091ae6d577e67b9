"""Even light from everywhere: the degraded image is the albedo."""

import numpy as np

from relight_assets.config.recipe.families import Flat
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.light_family import LightFamily
from relight_assets.stages.degraded.light_sampler import LightSampler, SampledLight, Shading


def sample(sampler: LightSampler) -> SampledLight:
    """Nothing is drawn."""
    light = np.ones((*sampler.scene.shape, 3), np.float32)
    even = Shading(light, None, {}, ambient=lambda: light)
    # No direction is right; that of the camera stands for all.
    return SampledLight(Direction(0.0, 0.0, 1.0), {}, lambda _rng, _strength_bias: even)


FAMILY = LightFamily("none", Flat, sample)
