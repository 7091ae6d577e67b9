from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import SoftShading
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def sampler(degradation=None):
    return LightSampler(
        portrait_scene(),
        degradation or Degradation(),
        LightSampling(),
        lambda purpose: stream(0, "", 0, purpose),
    )


@pytest.mark.parametrize("family", ["soft_shading", "hard_shadow", "specular", "studio", "none"])
@pytest.mark.parametrize("second", ["", "hard_shadow", "specular"])
def test_every_family_and_mixture_is_rendered(family, second):
    made = sampler()
    sampled = registry.family(family).sample(made)
    if second:
        sampled = registry.family(second).add(made, sampled)
    lit = sampled.render(stream(0, "", 0, "strength"), 0.0)
    for image in (lit.light, lit.highlight):
        assert image is None or (image.shape == (*made.scene.shape, 3) and np.isfinite(image).all())
    assert (lit.highlight is not None) == (family in {"soft_shading", "specular", "studio"} or second == "specular")
    assert np.linalg.norm(sampled.direction.vector) == pytest.approx(1)


def test_a_second_shadow_only_dims():
    made = sampler()
    first = registry.family("soft_shading").sample(made)
    plain = first.render(stream(0, "", 0, "strength"), 0.0).light
    dimmed = registry.family("hard_shadow").add(made, first)
    assert (dimmed.render(stream(0, "", 0, "strength"), 0.0).light <= plain + 1e-6).all()
    assert dimmed.numbers["has_pattern"] in {True, False}
    assert "second_shadow_level" in dimmed.numbers


def test_a_lamp_stands_as_high_as_the_second_family_asks_and_the_recipe_allows():
    made = replace(sampler(), least_elevation=35.0)
    assert all(made.key_light(f"{n}", (15.0, 45.0)).z > np.sin(np.radians(34.9)) for n in range(20))
    assert made.key_light("low", (15.0, 30.0)).z == pytest.approx(0.5)
    below = [sampler().key_light(f"{n}", (15.0, 45.0)).z < np.sin(np.radians(34.9)) for n in range(20)]
    assert any(below)


def test_shiny_soft_light_has_highlights():
    soft = SoftShading(specular_intensity_range=(0.05, 0.2), shininess_range=(10, 100))
    sampled = registry.family("soft_shading").sample(sampler(Degradation(soft_shading=soft)))
    lit = sampled.render(stream(0, "", 0, "strength"), 0.0)
    assert lit.highlight is not None
    assert lit.highlight.max() > 0
    assert soft.specular_gain[0] <= lit.numbers["specular_gain"] <= soft.specular_gain[1]
