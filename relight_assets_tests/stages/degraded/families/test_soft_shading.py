from functools import partial

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import SoftShading
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.families import soft_shading
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def lit(seed, scene, options, bias=0.0):
    sampler = LightSampler(scene, Degradation(soft_shading=options), LightSampling(), partial(stream, seed, "", 0))
    sampled = soft_shading.sample(sampler)
    return sampled, sampled.render(stream(seed, "", 0, "strength"), bias)


@pytest.mark.parametrize("with_face", [True, False])
def test_numbers_stay_in_their_ranges_and_the_face_is_shaded_from_one_side(with_face):
    scene, options = face_scene() if with_face else portrait_scene(with_face=False), SoftShading()
    face = scene.bare_skin > 0.5 if with_face else scene.core
    spreads = []
    for seed in range(8):
        sampled, shading = lit(seed, scene, options)
        assert np.isfinite(shading.light).all()
        assert shading.light.min() >= 0
        for name, (low, high) in (
            ("ambient", options.ambient_linear),
            ("key_share", options.key_share_range),
            ("wrap", options.wrap_range),
            ("specular_gain", options.specular_gain),
        ):
            assert low - 1e-9 <= shading.numbers[name] <= high + 1e-9
        low, high = (np.sin(np.radians(end)) for end in options.elevation_range)
        assert low - 1e-6 <= sampled.direction.z <= high + 1e-6
        spreads.append(np.log2(luminance(shading.light)[face]).std())
    assert np.median(spreads) > 0.6


def test_a_bias_to_strength_deepens_the_shading_and_not_the_gloss():
    scene, options = face_scene(), SoftShading()
    weak, strong = (lit(1, scene, options, bias)[1] for bias in (0.0, 1.0))
    spreads = [np.log2(luminance(each.light)[scene.core]).std() for each in (weak, strong)]
    assert spreads[1] > spreads[0]
    assert strong.numbers["ambient"] == pytest.approx(options.ambient_linear[0])
    assert strong.numbers["specular_gain"] == weak.numbers["specular_gain"]


def test_its_gloss_is_faint_lies_on_skin_alone_and_can_be_left_out():
    scene = face_scene()
    _, shading = lit(0, scene, SoftShading())
    gloss = luminance(shading.highlight)
    assert 0 < gloss.max() < luminance(scene.albedo * shading.light)[scene.bare_skin > 0.5].max()
    assert gloss[scene.bare_skin < 0.01].max() < 0.3 * gloss.max()
    assert shading.grain is None
    _, matt = lit(0, scene, SoftShading(specular_intensity_range=(0.0, 0.0)))
    assert matt.highlight is None
