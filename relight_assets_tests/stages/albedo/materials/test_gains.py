import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.stages.albedo.materials.gains import find_gains
from relight_assets_tests.stages.albedo.materials.heads import DARK_SKIN, SIDE, SKIN, head, side_light


def after(made, strength=1.0):
    person, face = made.small
    gains = find_gains(person, [face.points], strength, 0.3)
    assert gains is not None
    return person, (person.rgb - gains.offsets) * gains.factors


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
def test_the_face_is_evened_and_hair_and_cloth_stay(color):
    made = head(side_light(0.35), skin=color)
    person, albedo = after(made)
    before, now = (np.log2(luminance(image) + 0.004) for image in (person.rgb, albedo))
    assert made.at(now, made.skin).std() < 0.5 * made.at(before, made.skin).std()
    assert np.median(made.at(now, made.skin)) == pytest.approx(np.median(made.at(before, made.skin)), abs=0.15)
    assert abs(np.median(made.at(now - before, made.hair))) < 0.1


def test_strength_is_the_share_of_the_change():
    made = head(side_light(0.35))
    person, face = made.small
    none, half, full = (find_gains(person, [face.points], strength, 0.3) for strength in (0.0, 0.5, 1.0))
    assert none is not None
    assert half is not None
    assert full is not None
    assert np.abs(none.factors - 1).max() < 1e-3
    assert none.offsets.max() == 0
    assert half.spread == pytest.approx(0.5 * full.spread, rel=0.05)


def test_a_highlight_goes_and_gets_skins_color_however_weak_the_strength_of_an_image():
    made = head(0.7, sheen=0.4)
    spot = np.zeros((SIDE, SIDE), bool)
    spot[int(0.27 * SIDE) : int(0.29 * SIDE), int(0.48 * SIDE) : int(0.52 * SIDE)] = True
    over, ratios = [], []
    for strength in (0.0, 0.65, 1.0):
        _, albedo = after(made, strength)
        light = luminance(albedo)
        over.append(float(np.median(made.at(light, spot)) / np.median(made.at(light, made.skin)) - 1))
        red, green = (made.at(albedo[..., channel], spot) for channel in (0, 1))
        ratios.append(float(np.median(red / green)))
    assert over[0] > 0.8
    assert max(over[1:]) < 0.25 * over[0]
    assert (
        min(ratios[1:]) > 0.9 * made.paint[int(0.28 * SIDE), SIDE // 2, 0] / made.paint[int(0.28 * SIDE), SIDE // 2, 1]
    )


def test_nothing_new_is_clipped():
    made = head(1.5, skin=(0.7, 0.5, 0.4), sheen=0.5)
    person, albedo = after(made)
    assert np.all((albedo.max(axis=2) <= np.maximum(person.peak, 0.98) + 1e-3) | (person.inside < 0.5))


def test_gray_stays_gray_and_features_stay():
    made = head(side_light(0.35), gray=True)
    person, albedo = after(made)
    inside = person.inside > 0.9
    assert np.ptp(albedo[inside], axis=1).max() < 0.02
    face = made.small[1]
    dark, skin = albedo[(face.features > 0) & inside][:, 1], made.at(albedo[..., 1], made.skin)
    assert np.percentile(dark, 10) < 0.4 * np.median(skin)


def test_several_faces_and_none():
    made = head(side_light(0.35))
    person, face = made.small
    one = find_gains(person, [face.points], 1.0, 0.3)
    beside = face.points * 0.1
    assert one is not None
    small_ignored = find_gains(person, [face.points, beside], 1.0, 0.3)
    assert small_ignored is not None
    assert np.array_equal(one.factors, small_ignored.factors)
    twice = find_gains(person, [face.points, face.points + np.float32((3, 0))], 1.0, 0.3)
    assert twice is not None
    assert np.isfinite(twice.factors).all()
    assert twice.spread < 1.2 * one.spread  # not evened twice
    assert find_gains(person, [face.points + np.float32(1e4)], 1.0, 0.3) is None
