import numpy as np

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry.visibility import sight, visibility
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def test_a_light_at_the_camera_is_seen_from_everywhere():
    assert visibility(portrait_scene(), direction(90, 0), 0.1).min() == 1


def test_the_head_shades_the_far_side():
    scene = portrait_scene()
    seen = visibility(scene, direction(15, 0), 0.1)
    assert seen.shape == scene.shape
    assert 0 <= seen.min() <= seen.max() <= 1
    left = scene.core & (np.arange(160)[None, :] < 60)
    right = scene.core & (np.arange(160)[None, :] > 100)
    assert seen[right].mean() > seen[left].mean() + 0.2


def test_a_wide_lamp_has_a_softer_shadow():
    scene = portrait_scene()
    narrow, wide = (visibility(scene, direction(30, 45), size) for size in (0.05, 0.8))
    assert np.hypot(*np.gradient(wide)).max() < np.hypot(*np.gradient(narrow)).max()


def test_a_coarse_march_over_a_small_field_sees_about_the_same():
    scene, light = portrait_scene(), direction(25, 20)
    small = scene.at_side(96)
    coarse, fine = sight(small, light, 0.1, 24), sight(scene.low_height, light, 0.1)
    assert coarse.shape == small.shape
    assert abs(float(coarse.mean()) - float(fine.mean())) < 0.05
