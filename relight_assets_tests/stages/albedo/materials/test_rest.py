import numpy as np
import pytest

from relight_assets.stages.albedo.materials.rest import AMOUNT, REACH, even_rest
from relight_assets.stages.albedo.materials.skin import find_skin
from relight_assets_tests.stages.albedo.materials.heads import SIDE, head, side_light


def evened(made):
    person, face = made.small
    skin = find_skin(person, face)
    assert skin is not None
    return person, even_rest(person, person.inside * (1 - skin.weight))


def test_light_on_cloth_is_evened_in_part_and_its_median_stays():
    made = head(side_light(0.35, 0.9))
    person, gain = evened(made)
    shirt = np.zeros((SIDE, SIDE), bool)
    shirt[int(0.88 * SIDE) :] = made.alpha[int(0.88 * SIDE) :] > 0
    assert made.at(person.log_light + gain, shirt).std() < 0.85 * made.at(person.log_light, shirt).std()
    assert np.abs(gain).max() <= AMOUNT * REACH + 0.2


def test_black_hair_is_not_lifted():
    made = head(side_light(0.35, 0.9))
    _, gain = evened(made)
    assert np.percentile(made.at(gain, made.hair), 90) < 0.1


def test_it_is_the_same_every_time_whatever_was_drawn_before():
    made = head(side_light())
    first = evened(made)[1]
    np.random.default_rng(3).random(5)
    assert np.array_equal(first, evened(made)[1])


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_nothing_and_all_of_one_colour(weight):
    person, _ = head().small
    gain = even_rest(person, np.full_like(person.inside, weight))
    assert np.isfinite(gain).all()
    assert weight == 1 or not gain.any()
