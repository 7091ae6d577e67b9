import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.environments import sphere
from relight_assets.stages.degraded.environments.light import gloss, rest_light, turned
from relight_assets.stages.degraded.environments.panorama import prepared
from relight_assets_tests.stages.degraded.scenes import face_scene


def halves():
    """Blue on the panorama's left, red on its right, both even."""
    vectors, _ = sphere.directions(64, 128)
    right = vectors[..., :1] > 0
    return prepared(np.where(right, [1.0, 0.4, 0.1], [0.1, 0.4, 1.0]).astype(np.float32))


def test_a_turn_moves_a_light_to_the_right_and_keeps_its_height():
    front = Direction(0.0, -0.6, 0.8)
    right = turned(front, np.pi / 2)
    assert right.vector == pytest.approx((0.8, -0.6, 0.0), abs=1e-9)
    assert turned(front, 2 * np.pi).vector == pytest.approx(front.vector)


@pytest.mark.parametrize("turn", [0.0, np.pi])
def test_each_side_of_a_person_has_the_colour_of_its_side_of_the_panorama(turn):
    scene = face_scene()
    light = rest_light(halves(), scene.normals, turn)
    right = scene.normals[0] > 0.5
    left = scene.normals[0] < -0.5
    red = light[..., 0] / light[..., 2]
    assert (red[right].mean() > 1.5 * red[left].mean()) == (turn == 0)
    assert (red[left].mean() > 1.5 * red[right].mean()) == (turn != 0)


def test_skin_mirrors_more_where_it_turns_away_and_what_is_there():
    scene = face_scene()
    seen = gloss(halves(), scene.normals, 0.0)
    assert np.isfinite(seen).all()
    assert seen.min() >= 0
    level, inside = luminance(seen), scene.alpha > 0.9
    assert level[inside & (scene.normals[2] < 0.5)].mean() > level[inside & (scene.normals[2] > 0.95)].mean()
    right = inside & (scene.normals[0] > 0.5)
    assert seen[right][:, 0].mean() > seen[right][:, 2].mean()
