import numpy as np
import pytest

from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.studio import lamps
from relight_assets_tests.stages.degraded.scenes import face_scene


def test_a_near_lamp_falls_off_by_the_square_of_the_distance():
    scene = face_scene()
    plane = lamps.near(scene, (1.5, 0.0, 0.0))
    x, y = round(scene.head.x), round(scene.head.y)
    assert plane[y, x] == pytest.approx(1, abs=0.03)
    nearer = round(scene.head.x + scene.head.half_height)  # half of a head's height, a third of the way
    assert plane[y, min(nearer, plane.shape[1] - 1)] == pytest.approx(2.25, rel=0.05)
    assert plane[y, 0] < 1


def test_a_beam_lights_the_side_of_its_lamp_and_fills_what_it_is_told_to():
    scene, light = face_scene(), direction(20, 0)
    face = scene.bare_skin > 0.5
    right = np.arange(scene.shape[1])[None, :] > scene.head.x
    plain, filled = (
        lamps.beam(scene, light, stream(0, "", 0, "size"), (0.1, 0.1), wrap=0.1, filled=share) for share in (0.0, 0.5)
    )
    green = plain.planes[1]
    assert green[face & right].mean() > 2 * green[face & ~right].mean()
    assert (filled.planes[1] >= green - 1e-5).all()
    assert filled.planes[1][face].mean() > green[face].mean()
    assert plain.of.numbers["lamp_size"] == pytest.approx(0.1)


def test_lights_add_in_linear_light():
    one, other = np.full((2, 2), 0.25, np.float32), np.full((2, 2), 0.5, np.float32)
    both = lamps.summed(
        [(lamps.even(one), np.array([1, 2, 3], np.float32)), (lamps.even(other), np.ones(3, np.float32))]
    )
    assert both.shape == (2, 2, 3)
    assert both[0, 0].tolist() == pytest.approx([0.75, 1.0, 1.25])


def test_lamps_beside_stand_on_their_side_within_their_angles():
    rng = stream(0, "", 0, "beside")
    for side in (-1, 1):
        for _ in range(20):
            light = lamps.beside(rng, side, (10.0, 30.0), (-5.0, 40.0))
            assert np.sign(light.x) == side
            assert np.sin(np.radians(9.9)) < light.z < np.sin(np.radians(30.1))
            assert np.linalg.norm(light.vector) == pytest.approx(1)
    assert {lamps.draw_side(rng) for _ in range(20)} == {-1, 1}
