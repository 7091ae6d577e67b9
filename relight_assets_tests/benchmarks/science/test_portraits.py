"""The made-up portraits are what they say: albedo times shading, under two lights."""

import numpy as np
import pytest

from benchmarks.science.portraits import PAINTS, UMBRA, pairs
from relight_assets.core.color import decode


@pytest.mark.parametrize("hard", [False, True])
def test_every_person_twice_with_one_albedo(hard: bool) -> None:
    found = list(pairs(hard=hard))
    assert len(found) == len(PAINTS)
    for one, other in found:
        assert np.array_equal(one.albedo, other.albedo)
        assert np.array_equal(one.alpha, other.alpha)
        for person in (one, other):
            product = person.albedo * person.shading[..., None]
            assert np.abs(decode(person.rgb) - product)[person.inside].max() < 0.005  # rounding to 8 bits
            assert 0.1 < person.shading[person.inside].min() * (1 if person is one or not hard else 1 / UMBRA) < 1
        assert np.abs(one.shading - other.shading)[one.inside].max() > 0.2


def test_a_hard_shadow_has_both_sides() -> None:
    one, other = next(pairs(hard=True))
    left = (other.shading / one.shading)[one.inside]
    assert left.min() == pytest.approx(UMBRA, abs=0.01)
    assert left.max() == pytest.approx(1, abs=0.01)
    assert 0.2 < (left < 0.5).mean() < 0.8
