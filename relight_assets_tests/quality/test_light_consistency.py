"""Light that is put on an albedo is taken out again, mostly."""

import numpy as np

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.albedo import Retinex
from relight_assets.quality.light_consistency import AMBIENT, consistent, light_inconsistency
from relight_assets_tests.stages.portraits import portrait

PERSON = portrait()


def test_what_retinex_leaves_is_less_than_what_is_put_on() -> None:
    left = light_inconsistency(PERSON.rgb, PERSON.alpha, [], Retinex())
    nothing_taken = light_inconsistency(PERSON.rgb, PERSON.alpha, [], Retinex(strength=0.0, color_strength=0.0))
    assert AMBIENT < 1
    assert 0 < left < 0.6 * nothing_taken


def test_nobody_is_no_light_left() -> None:
    assert light_inconsistency(PERSON.rgb, np.zeros_like(PERSON.alpha), [], Retinex()) == 0


def test_the_mean_is_held_against_the_recipe() -> None:
    assert consistent([], Quality()) == []
    (verdict,) = consistent([(3, 0.1), (5, 0.3)], Quality())
    assert (verdict.passed, verdict.images, verdict.worst, verdict.worst_values) == (True, 2, (5, 3), (0.3, 0.1))
    assert not consistent([(3, 0.3)], Quality())[0].passed
