import numpy as np
import pytest

from relight_assets.config.recipe.families import SoftShading
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading import soft_light
from relight_assets_tests.stages.degraded.scenes import portrait_scene

FAMILY = SoftShading()


def lit(strength_bias, *, seed=0, light=None):
    scene = portrait_scene()
    light = light or direction(30, 0)
    soft = soft_light.sample(scene, light, FAMILY, stream(seed, "", 0, "shape"))
    return soft_light.render(
        scene,
        soft,
        FAMILY,
        stream(seed, "", 0, "strength"),
        ambient_range=FAMILY.ambient_linear,
        strength_bias=strength_bias,
    )


def test_numbers_stay_in_their_ranges():
    low, high = FAMILY.ambient_linear
    for seed in range(20):
        light, numbers = lit(0.0, seed=seed)
        assert np.isfinite(light).all()
        assert light.min() >= 0
        assert low <= numbers["ambient"] <= high
        assert FAMILY.wrap_range[0] <= numbers["wrap"] <= FAMILY.wrap_range[1]


def test_a_bias_to_strength_deepens_the_shading():
    scene = portrait_scene()
    spreads = [np.log2(luminance(lit(bias)[0])[scene.core]).std() for bias in (0.0, 1.0)]
    assert spreads[1] > spreads[0]
    assert lit(1.0)[1]["ambient"] == pytest.approx(FAMILY.ambient_linear[0])


def test_the_side_toward_the_light_is_brighter():
    light = luminance(lit(1.0, light=direction(25, 180))[0])
    assert light[80, 50] > 1.5 * light[80, 110]
