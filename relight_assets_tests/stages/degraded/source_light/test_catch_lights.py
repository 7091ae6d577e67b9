import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.eyes.catch_light import CORNEA, mirrored
from relight_assets.stages.degraded.eyes.own_lights import clear_eyes
from relight_assets.stages.degraded.source_light.catch_lights import MirroredLamp, mirrored_lamp
from relight_assets_tests.stages.made_eyes import draw_eye, eye_points, face_of_skin

PLACES = ((60.0, 80.0), (140.0, 80.0))
FACE = np.array([[20, 20, 0], [180, 150, 0]], np.float32)


def seen(*catch_lights, face=FACE):
    """What two eyes show that mirror lamps at these places, radii of the iris."""
    image = face_of_skin()
    rgb = np.ascontiguousarray(image[..., :3])
    eyes = [eye_points(x, y, 14.0, 0.9) for x, y in PLACES[: len(catch_lights)]]
    for points, place in zip(eyes, catch_lights, strict=True):
        draw_eye(rgb, points, place)
    image[..., :3] = rgb
    return mirrored_lamp(image, clear_eyes(image, eyes), face)


@pytest.mark.parametrize("light", [direction(60, 40), direction(50, 150), direction(75, 280)])
def test_both_eyes_tell_where_a_lamp_stands(light):
    place = mirrored(light)
    assert place is not None
    found = seen(place, place)
    assert found is not None
    assert (found.x, found.y) == pytest.approx([part / CORNEA for part in place], abs=0.06)
    around = np.array([each.vector for each in (light, direction(20, 0), direction(20, 180), direction(20, 270))])
    likely = found.likelihood(around.astype(np.float32))
    assert likely.argmax() == 0
    assert likely[0] > 2 * likely[1:].max()


def test_one_eye_is_enough():
    assert seen((0.3, -0.2), None) == seen((0.3, -0.2))


def test_eyes_that_disagree_or_mirror_nothing_tell_nothing():
    assert seen((0.4, -0.1), (-0.4, -0.1)) is None
    assert seen(None, None) is None


def test_other_peoples_eyes_do_not_count():
    assert seen((0.3, -0.2), (0.3, -0.2), face=FACE + np.float32(300)) is None
    half = FACE.copy()
    half[1, 0] = 100
    assert seen((0.3, -0.2), (-0.4, -0.2), face=half) == seen((0.3, -0.2))


def test_nothing_is_impossible_for_eyes():
    assert MirroredLamp(0.5, 0.0).likelihood(np.array([[-1, 0, 0], [0, 0, -1]], np.float32)).min() >= 0.19
