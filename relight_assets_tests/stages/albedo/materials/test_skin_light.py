import numpy as np
import pytest

from relight_assets.stages.albedo.materials.highlights import find_highlights
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets.stages.albedo.materials.skin_light import BELOW, CUT, LIFT, even_skin
from relight_assets_tests.stages.albedo.materials.heads import DARK_SKIN, SKIN, head, side_light


def found(made):
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    return person, skin, even_skin(person, skin, find_highlights(person, skin))


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
@pytest.mark.parametrize("width", [0.3, 0.02])
def test_light_from_a_side_is_evened_and_the_median_stays(color, width):
    made = head(side_light(0.35, width), skin=color)
    person, skin, light = found(made)
    before = made.at(person.log_light, made.skin)
    after = made.at(person.log_light + light.gain, made.skin)
    assert after.std() < (0.3 if width == 0.3 else 0.5) * before.std()
    assert skin.anchored(person.log_light + light.gain) == pytest.approx(skin.level, abs=1e-3)
    assert np.median((person.log_light + light.gain)[skin.sure]) == pytest.approx(skin.level, abs=0.01)
    assert light.deviation.min() >= -LIFT
    assert light.deviation.max() <= CUT


def test_an_even_face_stays_as_it_is():
    made = head()
    _, _, light = found(made)
    assert np.abs(made.at(light.gain, made.skin)).max() < 0.15


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
def test_a_highlight_does_not_become_a_shade(color):
    made = head(0.7, skin=color, sheen=0.5)
    person, skin, light = found(made)
    after = skin.face.blurred(person.log_light + light.gain, 0.03)
    bright = made.skin & (made.rgb.min(axis=2) > np.median(made.rgb[made.skin].min(axis=1)) + 20)
    assert bright.any()
    assert made.at(after, bright).min() > skin.level - BELOW - 0.1
