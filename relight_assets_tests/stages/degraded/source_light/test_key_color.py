from dataclasses import replace

import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.source_light.direction_fit import fit_direction
from relight_assets.stages.degraded.source_light.key_color import fit_warmth
from relight_assets_tests.stages.degraded.source_light.made_face import WHITE, photo_of, points_of

WARM, COOL = (1.25, 1.0, 0.8), (0.8, 1.0, 1.25)


def warmth(key_color=WHITE, fill_color=WHITE, **changes):
    points = points_of(photo_of(direction(30, 20), fill=0.3, key_color=key_color, fill_color=fill_color))
    points = replace(points, **changes)
    return fit_warmth(points, fit_direction(points))


def test_a_key_light_is_as_much_warmer_than_its_fill_as_it_is():
    neutral, reliability = warmth()
    assert reliability > 0.5
    for key, fill, truth in ((WARM, WHITE, 1), (COOL, WHITE, -1), (WARM, COOL, 2), (COOL, WARM, -2)):
        found, sure = warmth(key, fill)
        assert found - neutral == pytest.approx(truth * np.log(1.25 / 0.8), rel=0.35)
        assert sure > 0.5
    assert warmth(WARM, WARM)[0] == pytest.approx(neutral, abs=0.1)


def test_flat_light_and_speckled_skin_tell_no_color():
    points = points_of(photo_of(direction(30, 20), fill=0.3))
    fit = fit_direction(points)
    assert fit_warmth(points, replace(fit, key_share=np.full_like(fit.key_share, 0.5))) == (0.0, 0.0)
    speckled = points.colors * np.exp(np.random.default_rng(0).standard_normal(points.colors.shape)).astype(np.float32)
    assert fit_warmth(replace(points, colors=speckled), fit)[1] < 0.5
