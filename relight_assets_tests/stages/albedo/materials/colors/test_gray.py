import numpy as np
import pytest

from relight_assets.stages.albedo.materials.colors.gray import NEAR, missing_color, with_less_cut
from relight_assets.stages.albedo.materials.highlights import find_highlights
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import DARK_SKIN, SIDE, SKIN, head

SPOT = np.zeros((SIDE, SIDE), bool)
SPOT[int(0.27 * SIDE) : int(0.29 * SIDE), int(0.48 * SIDE) : int(0.52 * SIDE)] = True


def shiny(color):
    made = head(0.7, skin=color, sheen=0.4)
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    return made, person, skin, find_highlights(person, skin)


def nothing(person):
    return [np.zeros_like(person.light), np.zeros_like(person.light)]


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
def test_color_comes_back_by_as_much_as_light_is_taken(color):
    made, person, skin, highlights = shiny(color)
    above = np.maximum(person.log_light - np.float32(skin.level), 0)
    left = []
    for share in (0.0, 0.5, 1.0):
        red, blue = missing_color(person, skin, highlights, -np.float32(share) * above, nothing(person))
        left.append(abs(float(np.median(made.at(person.log_ratios[0] + red, SPOT))) - skin.color[0]))
        assert np.abs(red[skin.face.outward > NEAR[1] + 0.1]).max() == 0
        assert (made.at(blue, SPOT) <= 1e-6).all()
    assert left[0] > left[1] > left[2]
    assert left[2] < 0.4 * left[0]


def test_paint_that_is_no_veiled_skin_keeps_its_color():
    made = head(0.7)
    blue_spot = made.rgb.copy()
    blue_spot[SPOT] = (60, 90, 200)
    painted = type(made)(blue_spot, made.alpha, made.points, made.paint, made.skin, made.hair)
    person, face = painted.small
    skin = find_skin(person, face)
    assert skin is not None
    changes = missing_color(
        person, skin, find_highlights(person, skin), np.full_like(person.light, -1), nothing(person)
    )
    assert np.abs(painted.at(changes[1], SPOT)).max() < 0.1


def test_what_stays_pale_keeps_its_light():
    made, person, skin, highlights = shiny(SKIN)
    cut = np.full_like(person.light, -1)
    led = [np.float32(own) - ratio for own, ratio in zip(skin.color, person.log_ratios, strict=True)]
    pale, colored = (with_less_cut(person, skin, highlights, cut, changes) for changes in (nothing(person), led))
    assert np.median(made.at(pale, SPOT)) > -0.5
    assert np.median(made.at(colored, SPOT)) < -0.9
    assert np.array_equal(with_less_cut(person, skin, highlights, -cut, nothing(person)), -cut)
