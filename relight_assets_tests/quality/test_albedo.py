"""Bounds of the albedos of a split."""

from dataclasses import replace

import pytest

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.quality.albedo import albedo_verdicts
from relight_assets.quality.measured import SOME, WORST, Measured, Verdict
from relight_assets.stages.albedo.evaluation.albedo_metrics import AlbedoMetrics
from relight_assets_tests.conftest import Bench
from relight_assets_tests.quality.test_thresholds import bad, images
from relight_assets_tests.stages.albedo.evaluation.demo_albedos import BAD, Demo

GOOD = AlbedoMetrics(0.05, 0.85, 0.4, 0.03, 0.3, 0.0, 0.001, 1.02)


def split(*albedos: AlbedoMetrics, count: int = SOME) -> list[Measured]:
    """Images with these albedos, and good ones."""
    given = [*albedos, *[GOOD] * (count - len(albedos))]
    return [replace(each, albedo=albedo) for each, albedo in zip(images(count), given, strict=True)]


def by_metric(found: list[Measured], quality: Quality = DEFAULT_QUALITY) -> dict[str, Verdict]:
    return {verdict.metric: verdict for verdict in albedo_verdicts(found, quality)}


def failed(found: list[Measured]) -> set[str]:
    return {name for name, verdict in by_metric(found).items() if not verdict.passed}


def test_good_albedos_pass_and_few_or_older_records_say_nothing() -> None:
    assert len(by_metric(split())) == 10
    assert not failed(split())
    assert not bad(split())
    assert by_metric(split(count=SOME - 1)) == {}
    assert by_metric(images(3 * SOME)) == {}


@pytest.mark.parametrize("metric", BAD)
def test_a_split_of_albedos_that_are_bad_in_one_way_fails_by_it(finished: Bench, metric: str) -> None:
    demo = Demo.of(finished)
    assert not failed(split(*[demo.good().measured()] * SOME))
    words = metric.replace("_", " ")
    found = failed(split(*[BAD[metric](demo).measured()] * SOME))
    assert any(name.startswith(words) for name in found)


@pytest.mark.parametrize(
    ("change", "metric", "may_be"),
    [
        ({"skin_against_rest": -0.3}, "skin against rest", 2),
        ({"skin_against_rest": 0.4}, "skin against rest, worst", 0),
        ({"mid_contrast": 0.5}, "mid contrast", 1),
        ({"mid_contrast": 0.7}, "mid contrast, median", 10),
        ({"own_light_left": 0.7}, "own light left", 10),
        ({"chroma_step": 0.1}, "chroma step", 1),
        ({"highlight_left": 0.9}, "highlight left", 10),
        ({"dark_lift": 0.3}, "dark lift", 1),
        ({"newly_clipped": 0.05}, "newly clipped", 1),
        ({"face_chroma": 0.85}, "face chroma", 1),
        ({"face_chroma": 1.15}, "face chroma", 1),
    ],
)
def test_so_many_may_be_bad_and_no_more(change: dict[str, float], metric: str, may_be: int) -> None:
    wrong = replace(GOOD, **change)
    assert metric not in failed(split(*[wrong] * may_be))
    found = by_metric(split(*[wrong] * (may_be + 1)))
    assert {name for name, verdict in found.items() if not verdict.passed} == {metric}
    named = next(verdict for name, verdict in found.items() if verdict.worst and metric.startswith(name))
    assert (named.worst[0], len(named.worst), named.image) == (0, WORST, "albedo")
    assert named.worst_values[0] == next(iter(change.values()))


def test_each_third_of_skins_must_keep_to_it() -> None:
    dark = [replace(GOOD, skin_against_rest=-0.3)] * 5  # 8 % of all, a quarter of the dark third
    ordered = sorted(images(3 * SOME), key=lambda each: each.skin_lightness or 0)
    found = [
        replace(each, albedo=albedo) for each, albedo in zip(ordered, [*dark, *[GOOD] * (3 * SOME - 5)], strict=True)
    ]
    assert failed(found) == {"skin against rest"}
    assert not failed([replace(each, skin_lightness=None) for each in found])


def test_several_lights_of_an_image_are_one_albedo() -> None:
    wrong = split(replace(GOOD, mid_contrast=0.5))
    lights = [replace(each, variant=variant) for each in wrong for variant in range(3)]
    assert by_metric(lights)["mid contrast"].images == SOME
    assert not failed(lights)
    assert by_metric(wrong, Quality(min_mid_contrast_median=0.9))["mid contrast, median"].passed is False
