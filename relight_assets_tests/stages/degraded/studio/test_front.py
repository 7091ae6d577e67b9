import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.studio import front
from relight_assets_tests.stages.degraded.scenes import face_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit


@pytest.mark.parametrize("seed", range(4))
def test_a_ring_has_no_side_and_what_turns_away_is_dark(seed):
    scene = face_scene()
    sampled, shading = lit("ring", seed, scene=scene)
    assert sampled.direction.z > 0.99
    assert sampled.numbers["lamp_hole"] == front.RING.hole
    light, face = luminance(shading.light), scene.bare_skin > 0.5
    right = np.arange(scene.shape[1])[None, :] > scene.head.x
    assert light[face & right].mean() == pytest.approx(light[face & ~right].mean(), rel=0.25)
    turned = (scene.alpha > 0.9) & (scene.normals[2] < 0.6)
    assert light[face & (scene.normals[2] > 0.95)].mean() > 2 * light[turned].mean()


@pytest.mark.parametrize("seed", range(4))
def test_a_dish_stands_over_the_camera(seed):
    sampled, shading = lit("dish", seed)
    assert -0.8 < sampled.direction.y < 0
    assert sampled.direction.z > 0.7
    low, high = front.DISH.gains
    assert low <= shading.numbers["specular_gain"] <= high
    assert shading.highlight.max() > 0
