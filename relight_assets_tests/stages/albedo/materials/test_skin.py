import numpy as np
import pytest

from relight_assets.stages.albedo.materials.face import Face
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import DARK_SKIN, SIDE, SKIN, head, side_light

WHITE_HAIR = (0.75, 0.76, 0.78)


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
@pytest.mark.parametrize("light", [1.0, side_light()])
def test_face_and_neck_are_skin_and_features_hair_and_cloth_are_not(color, light):
    made = head(light, skin=color)
    skin = find_skin(*made.small)
    assert skin is not None
    assert np.mean(made.at(skin.weight, made.skin)) > 0.9
    assert np.mean(made.at(skin.weight, made.hair)) < 0.1
    shirt = np.zeros((SIDE, SIDE), bool)
    shirt[int(0.9 * SIDE) :] = made.alpha[int(0.9 * SIDE) :] > 0
    assert np.mean(made.at(skin.weight, shirt)) < 0.05
    assert skin.weight[skin.face.features > 0].max() == 0
    expected = (np.log((color[0] + 0.01) / (color[1] + 0.01)), np.log((color[2] + 0.01) / (color[1] + 0.01)))
    assert skin.color == pytest.approx(expected, abs=0.06)


def test_a_white_forehead_is_skin_and_white_hair_is_not():
    made = head(skin=DARK_SKIN, sheen=0.9)
    skin = find_skin(*made.small)
    assert skin is not None
    assert np.mean(made.at(skin.weight, made.skin)) > 0.9
    old = head(hair=WHITE_HAIR)
    skin = find_skin(*old.small)
    assert skin is not None
    assert np.mean(old.at(skin.weight, old.hair)) < 0.1


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
def test_a_white_collar_at_the_chin_is_no_skin(color):
    made = head(skin=color, collar=(0.8, 0.8, 0.78))
    skin = find_skin(*made.small)
    assert skin is not None
    collar = np.zeros((SIDE, SIDE), bool)
    rows = slice(int(0.70 * SIDE), int(0.95 * SIDE))
    collar[rows] = (made.rgb[rows].min(axis=2) > 200) & ~made.skin[rows]
    assert collar.sum() > 2000
    assert np.mean(made.at(skin.weight, collar)) < 0.05


def test_paint_that_is_more_saturated_than_skin_is_none():
    made = head()
    rgb = made.rgb.copy()
    rgb[150:170, 110:125] = (240, 220, 20)
    painted = type(made)(rgb, made.alpha, made.points, made.paint, made.skin, made.hair)
    skin = find_skin(*painted.small)
    assert skin is not None
    where = np.zeros_like(made.skin)
    where[153:167, 113:122] = True
    assert np.mean(painted.at(skin.weight, where)) < 0.2


def test_a_face_of_which_nothing_is_to_be_seen_has_no_skin():
    person, face = head().small
    assert find_skin(person, Face(face.points + 1e4, face.shape)) is None
    assert find_skin(person.part(np.zeros_like(person.inside)), face) is None
