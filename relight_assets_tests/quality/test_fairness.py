"""Thirds of a split by the lightness of the skin."""

from dataclasses import replace

from relight_assets.quality.fairness import rejected_of, terciles
from relight_assets.quality.measured import SOME
from relight_assets_tests.quality.test_thresholds import GOOD, bad, images


def test_dark_skin_that_fares_worse() -> None:
    found = [
        replace(each, metrics=replace(GOOD, exposure=-0.9)) if (each.skin_lightness or 0) < 43 else each
        for each in images(120)
    ]
    assert bad(found) == {"a third of skins worse by"}
    dark, _, light = terciles(found)
    assert max(each.skin_lightness or 0 for each in dark) <= min(each.skin_lightness or 0 for each in light)


def test_photos_that_were_rejected_count_in_the_third_of_their_skin() -> None:
    thirds = terciles(images(3 * SOME))
    middle = thirds[1][0].skin_lightness or 0.0
    assert rejected_of(thirds, [0.0, 5.0, middle, 99.0]) == [2, 1, 1]
    assert rejected_of(thirds, []) == [0, 0, 0]
