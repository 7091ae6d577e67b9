from dataclasses import replace

import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.shading import lamp_place
from relight_assets.stages.degraded.source_light.source_light import UNKNOWN
from relight_assets.stages.degraded.studio import front
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene
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
def test_a_dish_stands_at_the_camera_and_not_below_it(seed):
    sampled, shading = lit("dish", seed)
    assert -0.8 < sampled.direction.y < 0
    assert sampled.direction.z > 0.7
    low, high = front.DISH.gains
    assert low <= shading.numbers["specular_gain"] <= high
    assert shading.highlight.max() > 0


def test_a_dish_stands_away_from_the_photos_own_light_where_it_can():
    scene, own = portrait_scene(), direction(50, 40)
    known, unknown = (replace(scene, source_light=replace(UNKNOWN, direction=each)) for each in (own, None))
    found = [[lit("dish", seed, scene=each)[0].direction.angle(own) for seed in range(6)] for each in (known, unknown)]
    assert min(found[0]) >= 45 > min(found[1])


def test_a_dish_is_seldom_high():
    found = [lit("dish", seed)[0].direction for seed in range(12)]
    assert sum(light.y < lamp_place.HIGH for light in found) < 6
    assert max(abs(light.x) for light in found) > 0.35
