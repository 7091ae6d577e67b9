"""Which metric is compared with which threshold, and from how many images on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.quality.measured import SOME, WORST, Measured, Verdict
from relight_assets.quality.thresholds import MANY, failed_metrics, verdicts
from relight_assets.stages.image_metrics import ImageMetrics
from relight_assets_tests.conftest import recipe_with

GOOD = ImageMetrics(0.95, 0.7, -0.2, 0.2, 0.0, 0.0, 0.2, 1.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
SHARES = Recipe().degradation.weights
FAMILIES = tuple(name for name, share in SHARES.items() if share > 0)


def images(count: int, **changes: float) -> list[Measured]:
    rng = np.random.default_rng(1)
    found = []
    for index in range(count):
        around = rng.random() * 2 * math.pi
        family = FAMILIES[rng.choice(len(FAMILIES), p=[SHARES[name] for name in FAMILIES])]
        light = (0.6 * math.cos(around), 0.6 * math.sin(around), 0.8)
        both_sides = {"exposure": 0.1 * math.sin(2.4 * index)}
        metrics = replace(GOOD, **both_sides | changes)
        found.append(Measured(index, family, light, 30.0 + index % 40, metrics, patterned=True))
    return found


def by_name(
    found: list[Measured], recipe: Recipe | None = None, quality: Quality = DEFAULT_QUALITY
) -> dict[str, Verdict]:
    return {verdict.metric: verdict for verdict in verdicts(found, recipe or Recipe(), quality)}


def bad(found: list[Measured]) -> set[str]:
    return {name for name, verdict in by_name(found).items() if not verdict.passed}


def test_good_images_pass_all_that_so_many_allow() -> None:
    few, some, many = (set(by_name(images(count))) for count in (5, 3 * SOME + 9, 3 * MANY))
    assert not bad(images(5))
    assert not bad(images(3 * MANY))
    assert few < some < many
    assert "families' shares off" in many - some
    assert "a third of skins worse by" in some - few
    assert verdicts([], Recipe(), Quality()) == []


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"identity": 0.4}, "identity"),
        ({"strength": 0.1}, "weakest"),
        ({"strength": 2.5}, "strongest"),
        ({"exposure": -1.2}, "exposure"),
        ({"clipping": 0.03}, "clipping"),
        ({"crushed": 0.08}, "crushed"),
        ({"chroma": 6.0}, "chroma"),
        ({"rim": 0.5}, "dark rim"),
        ({"rim": 2.0}, "bright rim"),
        ({"recomposition": 3}, "recomposition"),
        ({"comb": 0.2}, "comb"),
        ({"black_speckle": 0.2}, "black speckle"),
    ],
)
def test_one_bad_image_fails_its_metric_and_is_named_first(change: dict[str, float], metric: str) -> None:
    found = images(12)
    found[7] = replace(found[7], metrics=replace(GOOD, **change))
    assert bad(found) == {metric}
    verdict = by_name(found)[metric]
    assert verdict.worst[0] == 7
    assert len(verdict.worst) == WORST
    assert verdict.value == pytest.approx(abs(change[next(iter(change))]))


def test_bounds_are_those_that_are_given() -> None:
    found = images(12, crushed=0.07)
    assert by_name(found, quality=Quality(max_crushed=0.08))["crushed"].passed
    assert not by_name(found)["crushed"].passed


def test_the_middle_image_counts_too() -> None:
    assert bad(images(30, identity=0.7)) == {"identity, median"}
    assert bad(images(30, strength=0.3)) == {"strength, median"}


def test_a_rim_is_bright_where_the_light_stands_behind() -> None:
    found = images(5, rim=2.5)
    assert bad(found) == {"bright rim"}
    assert not bad([replace(each, light_direction=(0.8, 0.0, -0.6)) for each in found])


def test_a_family_that_brightness_gives_away() -> None:
    found = [
        replace(each, metrics=replace(each.metrics, lit_exposure=0.6)) if each.family == "hard_shadow" else each
        for each in images(3 * MANY)
    ]
    assert bad(found) == {"families' lit exposure apart"}


def test_shares_that_are_not_the_recipe_s() -> None:
    found = [replace(each, family="specular") for each in images(MANY)]
    assert "families' shares off" in bad(found)


def test_lights_from_one_side_alone() -> None:
    found = [
        replace(each, light_direction=(abs(x), y, z))
        for each in images(10 * MANY)
        for x, y, z in [each.light_direction]
    ]
    assert bad(found) == {"lights' azimuth uneven"}
    half = recipe_with(light_sampling={"azimuth_range": [0, 180]})
    assert "lights' azimuth uneven" not in by_name(found, half)


def test_a_rim_around_the_face() -> None:
    smooth = [replace(each, mask_rim=0.9) for each in images(30)]
    assert not bad(smooth)
    assert "mask rim" not in by_name(images(30))
    smooth[4] = replace(smooth[4], mask_rim=2.5)
    assert bad(smooth) == {"mask rim"}
    assert by_name(smooth)["mask rim"].worst[0] == 4
    assert bad([replace(each, mask_rim=1.4) for each in smooth]) == {"mask rim, median"}
    assert "mask rim, median" not in by_name(smooth[:6])


def test_lights_that_keep_away_from_the_photos_own_are_less_of_a_fault() -> None:
    aside = [each for each in images(32 * MANY) if each.light_direction[1] > -0.2]
    near = recipe_with(light_sampling={"min_light_angle": 45})
    known = [replace(each, source_light=(0.0, -0.6, 0.8)) for each in aside]
    unknown, expected = (by_name(found, near)["lights' azimuth uneven"] for found in (aside, known))
    assert not unknown.passed
    assert expected.value < unknown.value


def test_of_an_image_with_several_lights_the_worst_is_shown_once() -> None:
    found = images(4)
    lights = [replace(each, variant=number) for each in found for number in range(3)]
    lights[4] = replace(lights[4], metrics=replace(GOOD, strength=3.0))
    verdict = by_name(lights)["strongest"]
    assert verdict.images == 12
    assert sorted(verdict.worst) == [each.index for each in found]
    assert (verdict.worst[0], verdict.worst_values[0], verdict.worst_variants[0]) == (lights[4].index, 3.0, 1)


FIELDS = tuple(ImageMetrics.__dataclass_fields__)
TONE = ("red_green", "blue_green", "shadow_contrast", "light_contrast")


@pytest.mark.parametrize("name", FIELDS)
def test_an_image_without_a_metric_is_not_counted_for_that_one(name: str) -> None:
    whole = images(3 * MANY, crushed=0.01)
    found = [replace(whole[0], metrics=replace(GOOD, **{name: None})), *whole[1:]]
    before, now = by_name(whole), by_name(found)
    assert set(before) == set(now)
    fewer = {metric for metric, verdict in now.items() if verdict.images == before[metric].images - 1}
    assert {metric for metric in now if now[metric].images != before[metric].images} == fewer
    assert fewer == {
        "identity": {"identity", "identity, median"},
        "strength": {"weakest", "strongest", "strength, median"},
        "clipping": {"clipping", "clipping, mean"},
        "lit_exposure": {"families' lit exposure apart"},
        "rim": {"dark rim", "bright rim"},
        "black_speckle": {"black speckle"},
        "exposure": {"exposure", "darker", "exposure, median", "tone cue"},
        "saturation": {"tone cue"},
        **{feature: {f"{feature.replace('_', ' ')}, median", "tone cue"} for feature in TONE},
    }.get(name, {name})
    for metric in fewer - {"darker", "exposure, median", "tone cue"}:  # those are of all pairs
        assert now[metric].value == before[metric].value
        assert 0 not in now[metric].worst


@pytest.mark.parametrize("name", FIELDS)
def test_a_metric_that_no_image_has_is_none_of_the_verdicts(name: str) -> None:
    whole = images(3 * MANY)
    found = [replace(each, metrics=replace(each.metrics, **{name: None})) for each in whole]
    gone = set(by_name(whole)) - set(by_name(found))
    assert gone
    assert not bad(found)
    assert all(verdict.images for verdict in verdicts(found, Recipe(), Quality()))


def test_a_light_without_family_or_direction_is_left_out_of_shares_and_spread() -> None:
    whole = images(10 * MANY)
    strays = [replace(each, family=None, light_direction=None) for each in images(50)]
    before, now = by_name(whole), by_name([*whole, *strays])
    for metric in ("families' shares off", "lights' azimuth uneven", "families' lit exposure apart"):
        assert now[metric] == before[metric]
    assert now["strongest"].images == len(whole) + 50


def test_a_photo_without_a_person_fails_whatever_the_recipe_let_in() -> None:
    assert "person evidence" not in by_name(images(12))  # older records do not say
    found = [replace(each, person_evidence=1.0 + each.index / 10) for each in images(12)]
    assert not bad(found)
    found[7] = replace(found[7], person_evidence=0.42)
    assert bad(found) == {"person evidence"}
    verdict = by_name(found)["person evidence"]
    assert (verdict.worst[0], verdict.value) == (7, 0.42)
    assert by_name(found, quality=Quality(min_person_evidence=0.4))["person evidence"].passed


@pytest.mark.parametrize(
    ("name", "good", "bad_value"),
    [
        ("undecided", 0.012, 0.02),
        ("cutout_stairs", 0.027, 0.064),
        ("cutout_speckle", 1.06, 1.3),
        ("cutout_see_through", 0.007, 0.048),
    ],
)
def test_a_bad_cut_out_fails_and_true_alphas_pass(name: str, good: float, bad_value: float) -> None:
    metric = name.replace("_", " ")
    assert metric not in by_name(images(12))  # older records do not say
    found = [replace(each, **{name: good}) for each in images(12)]
    assert not bad(found)
    found[5] = replace(found[5], **{name: bad_value})
    assert bad(found) == {metric}
    verdict = by_name(found)[metric]
    assert (verdict.worst[0], verdict.value, len(verdict.worst)) == (5, bad_value, WORST)
    assert by_name(found, quality=Quality.model_validate({f"max_{name}": bad_value}))[metric].passed


def test_rims_of_cut_outs_are_judged_together_and_the_worst_are_named() -> None:
    found = [replace(each, cutout_rim=0.12) for each in images(12)]
    found[5] = replace(found[5], cutout_rim=0.72)
    assert not bad(found)
    assert by_name(found)["cutout rim"].worst[0] == 5
    found = [replace(each, cutout_rim=0.36) for each in images(12)]
    assert bad(found) == {"cutout rim"}
    assert by_name(found)["cutout rim"].value == pytest.approx(0.36)


def with_eyes(*overlaps: tuple[float, ...], count: int = SOME) -> list[Measured]:
    given = [*overlaps, *[()] * (count - len(overlaps))]
    return [replace(each, eye_overlaps=eyes) for each, eyes in zip(images(count), given, strict=True)]


def test_the_middle_eye_of_all_counts() -> None:
    good = by_name(with_eyes(*[(0.1, 0.9)] * 9, (0.1, 0.1)))["eye overlap, median"]
    assert good.passed
    assert (good.images, good.value, good.bound) == (20, 0.1, "<= 0.2")
    wrong = by_name(with_eyes(*[(0.1, 0.9)] * 9, (0.9, 0.9)))["eye overlap, median"]
    assert not wrong.passed
    assert wrong.value == 0.9


def test_the_worst_eyes_are_named_once_for_each_image() -> None:
    found = with_eyes(*[(0.0, 0.1)] * 10)
    found[4] = replace(found[4], eye_overlaps=(0.0, 0.8))
    found.append(replace(found[4], eye_overlaps=(1.0,), variant=3))
    verdict = by_name(found)["eye overlap, median"]
    assert verdict.passed
    assert verdict.worst[0] == found[4].index
    assert verdict.worst_values[:2] == (1.0, 0.1)
    assert verdict.worst_variants[0] == 3
    assert len(set(verdict.worst)) == len(verdict.worst) == WORST


def test_few_eyes_say_nothing() -> None:
    assert "eye overlap, median" not in by_name(with_eyes(*[(1.0,)] * (SOME - 1)))
    assert bad(with_eyes(*[(1.0,)] * SOME)) == {"eye overlap, median"}


def test_what_one_image_fails_is_what_all_together_would_say_of_it() -> None:
    good, dull = images(2)[0], images(1, identity=0.1, clipping=0.9)[0]
    assert failed_metrics(good, DEFAULT_QUALITY) == []
    assert failed_metrics(dull, DEFAULT_QUALITY) == ["identity", "clipping"]
    assert failed_metrics(replace(good, undecided=0.9, mask_rim=99.0), DEFAULT_QUALITY) == ["undecided", "mask rim"]
    assert failed_metrics(replace(good, cutout_rim=0.9), DEFAULT_QUALITY) == []  # of which one alone tells little
