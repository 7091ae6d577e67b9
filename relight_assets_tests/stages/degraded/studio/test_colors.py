import numpy as np
import pytest

from relight_assets.core.color import LUMINANCE_WEIGHTS
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.studio import colors


@pytest.mark.parametrize("pair", colors.GEL_PAIRS, ids=lambda pair: pair.name)
def test_two_gels_differ_and_are_nearly_white_together(pair):
    one, other = np.array(pair.one), np.array(pair.other)
    both = (one + other) / (one + other).max()
    assert both.min() > 0.65
    assert np.abs(one / one.max() - other / other.max()).max() > 0.5


def test_names_of_gels_are_given_once():
    assert len({pair.name for pair in colors.GEL_PAIRS}) == len(colors.GEL_PAIRS)


def test_less_saturation_keeps_the_luminance():
    color = colors.GEL_PAIRS[0].one
    gray, half, full = (colors.softened(color, saturation) for saturation in (0.0, 0.5, 1.0))
    assert np.ptp(gray) == pytest.approx(0, abs=1e-6)
    assert full == pytest.approx(color)
    assert 0 < np.ptp(half) < np.ptp(full)
    lights = [float(each @ np.array(LUMINANCE_WEIGHTS)) for each in (gray, half, full)]
    assert lights == pytest.approx([lights[0]] * 3, rel=1e-5)


def test_every_name_is_drawn():
    rng = stream(0, "", 0, "names")
    assert {colors.one_of(rng, tuple(colors.RIMS)) for _ in range(60)} == set(colors.RIMS)
