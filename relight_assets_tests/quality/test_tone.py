"""Whether the tone of pairs tells which picture is the photo."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.quality.measured import WORST, Measured, Verdict
from relight_assets.quality.tone import FEATURES, PART, WHOLE, tone_cue, tone_verdicts
from relight_assets_tests.quality.test_thresholds import FAMILIES, GOOD, bad, images

SPREADS = {
    "exposure": 0.3,
    "shadow_contrast": 0.2,
    "light_contrast": 0.25,
    "red_green": 0.06,
    "blue_green": 0.09,
    "saturation": 0.03,
}
METRICS = {
    "darker",
    "exposure, median",
    "red green, median",
    "blue green, median",
    "shadow contrast, median",
    "light contrast, median",
    "tone cue",
}


def split(count: int = 240, only: str | None = None, **planted: float) -> list[Measured]:
    """Pairs of ten photos each, centered, but for what is planted in all, or in one family's."""
    rng = np.random.default_rng(5)
    drawn = {
        name: np.ravel([sign * rng.normal(0, spread, (count + 1) // 2) for sign in (1, -1)], "F")
        for name, spread in SPREADS.items()
    }
    found = []
    for number, each in enumerate(images(count)):
        family = FAMILIES[number // 2 % 3]
        of = planted if only in (None, family) else {}
        tone = {name: float(values[number]) + of.get(name, 0.0) for name, values in drawn.items()}
        metrics = replace(GOOD, **tone)
        found.append(replace(each, family=family, metrics=metrics, source_sha256=f"{number // 10:064x}"))
    return found


def older(found: list[Measured]) -> list[Measured]:
    """With the records of a version that did not measure these."""
    return [replace(each, metrics=replace(each.metrics, **dict.fromkeys(FEATURES))) for each in found]


def by_metric(found: list[Measured], quality: Quality = DEFAULT_QUALITY) -> dict[str, Verdict]:
    return {verdict.metric: verdict for verdict in tone_verdicts(found, quality)}


def failed(found: list[Measured]) -> set[str]:
    return {name for name, verdict in by_metric(found).items() if not verdict.passed}


def test_a_centered_split_passes_and_few_pairs_or_older_records_say_nothing() -> None:
    found = split()
    assert set(by_metric(found)) == METRICS
    assert not failed(found)
    assert METRICS.isdisjoint(bad(found))
    assert by_metric(split(PART)) == {}
    assert by_metric(older(split())) == {}
    assert "tone cue" not in by_metric(split(WHOLE - 1))


@pytest.mark.parametrize(
    ("planted", "metrics"),
    [
        ({"exposure": -0.2}, {"darker", "exposure, median"}),
        ({"exposure": 0.2}, {"darker", "exposure, median"}),
        ({"red_green": 0.04}, {"red green, median"}),
        ({"blue_green": -0.05}, {"blue green, median"}),
        ({"shadow_contrast": -0.12}, {"shadow contrast, median"}),
        ({"light_contrast": 0.15}, {"light contrast, median"}),
        ({"saturation": -0.04}, {"tone cue"}),
    ],
)
def test_a_split_with_a_planted_cue_fails_by_it(planted: dict[str, float], metrics: set[str]) -> None:
    found = failed(split(**planted))
    assert metrics <= found <= metrics | {"tone cue"}


def test_one_family_alone_is_found_and_its_figure_is_shown() -> None:
    found = split(only="specular", red_green=0.07)
    assert failed(found) == {"red green, median"}
    assert by_metric(found)["red green, median"].value == pytest.approx(0.07, abs=0.02)
    few = [each for each in found if each.family != "specular" or each.index < 3 * PART - 6]
    assert not failed(few)


def test_a_part_may_miss_a_bound_by_what_chance_does_to_so_many() -> None:
    found = split(only="specular", exposure=0.12)
    assert not failed(found)
    assert "exposure, median" in failed(split(6 * len(found), only="specular", exposure=0.2))


def test_the_pairs_that_differ_most_are_named_each_photo_once() -> None:
    found = split()
    most = max(found, key=lambda each: abs(each.metrics.red_green or 0.0))
    same = replace(most, variant=1, metrics=replace(most.metrics, red_green=0.0))
    verdict = by_metric([same, *found])["red green, median"]
    assert verdict.worst[0] == most.index
    assert verdict.worst_values[0] == most.metrics.red_green
    assert len(set(verdict.worst)) == WORST
    assert sorted(verdict.worst_values, key=abs, reverse=True) == list(verdict.worst_values)


def test_bounds_are_those_that_are_given() -> None:
    found = split(red_green=0.04)
    assert by_metric(found, Quality(max_color_median=0.08))["red green, median"].passed
    wide: dict[str, Any] = {"darker_range": (0.0, 1.0), "max_tone_cue": 1.0, "max_exposure_median": 1.0}
    assert all(verdict.passed for verdict in tone_verdicts(split(exposure=-0.3), Quality(**wide)))


def test_the_classifier_finds_a_planted_cue_on_people_it_has_not_seen() -> None:
    rng = np.random.default_rng(2)
    people = [f"{number // 12}" for number in range(264)]
    changes = rng.normal(0, 1, (264, len(FEATURES)))
    changes[:, 3] += 1.0
    changes[:, 0] = changes[:, 3] + rng.normal(0, 0.2, 264)
    assert tone_cue(changes, people) == pytest.approx(0.84, abs=0.06)  # Phi(1)
    flipped = changes * rng.choice([-1.0, 1.0], 264)[:, None]
    assert tone_cue(flipped, people) == pytest.approx(0.5, abs=0.1)
    assert tone_cue(changes * [1000, 1, 1, 1e-3, 1, 1], people) == pytest.approx(tone_cue(changes, people), abs=1e-9)


def test_what_is_true_of_one_person_alone_is_no_cue() -> None:
    people = np.repeat(np.arange(8), 30)
    rng = np.random.default_rng(3)
    own = rng.normal(0, 1, (8, len(FEATURES)))[people]
    seen = tone_cue(own, [str(number) for number in range(240)])
    held_out = tone_cue(own, [str(person) for person in people])
    assert held_out < 0.65 < seen


def test_nobody_left_to_learn_from_is_chance() -> None:
    assert tone_cue(np.ones((150, 6)), ["one"] * 150) == 0.5


def test_the_order_of_pairs_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    changes, people = rng.normal(0.3, 1, (200, 6)), [str(number // 10) for number in range(200)]
    order = rng.permutation(200)
    assert tone_cue(changes[order], [people[number] for number in order]) == tone_cue(changes, people)
