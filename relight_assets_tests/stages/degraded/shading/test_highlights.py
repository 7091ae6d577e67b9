from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.recipe.family_options import SKIN_LOBE_PEAK
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading import highlights
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def test_the_lobe_peaks_as_the_recipe_assumes():
    # Straight back to the camera from roughness .4.
    assert highlights.ggx(portrait_scene(), direction(90, 0), 0.4).max() == pytest.approx(SKIN_LOBE_PEAK, rel=0.03)


def test_rougher_skin_has_a_wider_and_dimmer_highlight():
    scene = portrait_scene()
    fine, rough = (highlights.ggx(scene, direction(50, 60), roughness) for roughness in (0.28, 0.55))
    assert fine.max() > 2 * rough.max()
    assert (fine > 0.5 * fine.max()).sum() < (rough > 0.5 * rough.max()).sum()


def test_no_highlight_on_the_silhouette():
    scene = portrait_scene()
    highlight = highlights.sample(scene, [direction(30, 0), direction(30, 180)], (0.3, 0.5), stream(0, "", 0, "skin"))
    assert highlight.light[scene.inward < 0.006 * scene.size].max() == 0
    assert np.isfinite(highlight.light).all()
    assert 0.3 <= highlight.numbers["roughness"] <= 0.5
    assert len(highlight.numbers["highlight_lights"]) == 6


def test_gain_follows_the_bias_but_skin_is_never_too_bright():
    rng = stream(0, "", 0, "gain")
    assert all(0.8 <= highlights.draw_gain(rng, (0.8, 2.9), 0.0) <= 2.9 for _ in range(50))
    assert highlights.draw_gain(rng, (0.8, 2.9), 1.0) == pytest.approx(2.9)
    assert highlights.draw_gain(rng, (5.0, 9.0), 0.0) == highlights.MAX_GAIN
    assert highlights.draw_gain(rng, (0.8, 2.9), 1.0, max_gain=1.1) == 1.1


def test_the_darker_the_skin_the_less_a_highlight_may_add():
    light = portrait_scene()
    dark = replace(light, albedo=light.albedo * np.float32(0.15))
    gains = [
        highlights.sample(scene, [direction(50, 60)], (0.4, 0.4), stream(0, "", 0, "skin")).max_gain
        for scene in (light, dark)
    ]
    assert 0.2 * gains[0] < gains[1] < 0.8 * gains[0]
    narrow = highlights.sample(light, [direction(50, 60)], (0.28, 0.28), stream(0, "", 0, "skin")).max_gain
    assert narrow < gains[0]
