import numpy as np
import pytest

from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.shading.ambient import ambient_light, blended, share_of


def even(value, height=2, width=3):
    return np.full((height, width, 3), value, np.float32)


def test_a_share_lies_between_none_and_all_also_where_there_is_no_light():
    assert share_of(even(0.2), even(0.8)) == pytest.approx(even(0.25))
    assert share_of(even(0.0), even(0.0)) == pytest.approx(even(0.0))
    assert share_of(even(0.9), even(0.8)) == pytest.approx(even(1.0))


def test_a_light_that_says_nothing_of_its_room_has_none():
    assert ambient_light(Shading(even(2.0), None, {})).max() == 0
    assert ambient_light(Shading(even(2.0), None, {}, ambient=lambda: even(0.25))) == pytest.approx(even(0.5))


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_the_ambient_light_of_a_blend_is_the_blend_of_ambient_lights(amount):
    one = Shading(even(2.0), None, {}, ambient=lambda: even(0.25))
    other = Shading(even(1.0), None, {}, ambient=lambda: even(0.9))
    whole = one.light + np.float32(amount) * (other.light - one.light)
    ambient = whole * blended(one, other, np.full((2, 3, 1), amount, np.float32))()
    assert ambient == pytest.approx(even((1 - amount) * 0.5 + amount * 0.9))
