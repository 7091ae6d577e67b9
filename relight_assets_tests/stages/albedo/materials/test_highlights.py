import numpy as np
import pytest

from relight_assets.stages.albedo.materials.highlights import LARGEST, find_highlights
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import DARK_SKIN, SIDE, SKIN, head


def shares(made):
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    return find_highlights(person, skin)


@pytest.mark.parametrize("color", [SKIN, DARK_SKIN])
def test_a_white_spot_on_skin_is_found_and_nothing_elsewhere(color):
    made = head(0.7, skin=color, sheen=0.45)
    spot = np.zeros((SIDE, SIDE), bool)
    spot[int(0.27 * SIDE) : int(0.29 * SIDE), int(0.48 * SIDE) : int(0.52 * SIDE)] = True
    cheeks = np.zeros_like(spot)
    cheeks[int(0.5 * SIDE) : int(0.56 * SIDE)] = made.skin[int(0.5 * SIDE) : int(0.56 * SIDE)]
    found = shares(made)
    assert np.median(made.at(found.share, spot)) > 0.15
    assert np.median(made.at(found.share, cheeks)) < 0.02
    assert found.share.max() <= LARGEST
    assert np.mean(made.at(found.share, made.hair)) < 0.01


def test_matt_skin_has_none():
    made = head()
    assert np.percentile(made.at(shares(made).share, made.skin), 99) < 0.03
