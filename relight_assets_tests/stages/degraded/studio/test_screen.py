import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.studio.colors import SCREENS
from relight_assets_tests.stages.degraded.scenes import face_scene
from relight_assets_tests.stages.degraded.studio.kinds import lit


@pytest.mark.parametrize("seed", range(4))
def test_light_comes_from_below_and_falls_off_upward(seed):
    scene = face_scene()
    sampled, shading = lit("screen", seed, scene=scene)
    assert sampled.direction.y > 0.5
    assert sampled.direction.z > 0.5
    assert sampled.numbers["screen"] in SCREENS
    face, below = scene.bare_skin > 0.5, np.arange(scene.shape[0])[:, None] > scene.head.y
    light = luminance(shading.light)
    assert light[face & below].mean() > 1.3 * light[face & ~below].mean()


def test_it_is_colder_than_the_room():
    scene = face_scene()
    _, shading = lit("screen", 0, scene=scene)
    light = shading.light[scene.bare_skin > 0.5]
    order = np.argsort(light[:, 1])
    dim, bright = light[order[: len(order) // 5]].mean(axis=0), light[order[-len(order) // 5 :]].mean(axis=0)
    assert bright[2] / bright[0] > dim[2] / dim[0]
