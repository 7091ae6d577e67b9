"""Variants of one photo: how far apart, and how many are."""

import numpy as np
import pytest

from relight_assets.config.quality import Quality
from relight_assets.core.color import decode, encode
from relight_assets.quality.diversity import variant_distance, variants_differ
from relight_assets.stages.foreground_color import with_alpha
from relight_assets_tests.stages.portraits import portrait

PERSON = portrait()


def lit(factor: np.ndarray | float) -> np.ndarray:
    return with_alpha(encode(np.clip(decode(PERSON.rgb) * np.float32(factor), 0, 1)), PERSON.alpha)


def test_the_same_light_is_no_distance_and_a_stop_is_one() -> None:
    assert variant_distance(lit(1), lit(1)) == 0
    assert variant_distance(lit(1), lit(0.5)) == pytest.approx(1, abs=0.12)  # less what the floor takes
    assert variant_distance(lit(1), lit(0.5)) == pytest.approx(variant_distance(lit(0.5), lit(1)))


def test_light_from_the_other_side_counts_and_the_background_does_not() -> None:
    across = np.linspace(0.5, 1.5, PERSON.rgb.shape[1], dtype=np.float32)[None, :, None]
    one, other = lit(across), lit(across[:, ::-1])
    apart = variant_distance(one, other)
    assert apart > 0.4
    other[PERSON.alpha == 0, :3] = 255
    assert variant_distance(one, other) == apart


def test_nobody_is_no_distance() -> None:
    assert variant_distance(lit(1) * 0, lit(1)) == 0


def test_enough_pairs_must_be_apart_and_the_nearest_are_named() -> None:
    far = [(index, 0.5) for index in range(19)]
    (good,) = variants_differ([*far, (19, 0.1)], Quality())
    assert good.passed
    assert good.value == pytest.approx(0.95)
    assert (good.worst[0], good.worst_values[0]) == (19, 0.1)
    assert good.images == 20
    (bad,) = variants_differ([*far, (18, 0.1), (3, 0.05)], Quality())
    assert not bad.passed
    assert bad.worst[:2] == (3, 18)
    assert bad.images == 19
    assert variants_differ([], Quality()) == []
