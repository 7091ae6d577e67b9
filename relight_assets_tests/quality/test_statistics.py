"""What records say as numbers, and when a mean has moved."""

import copy
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.state.recorded import RecordedImage, recorded_images
from relight_assets.quality.measured import Measured
from relight_assets.quality.statistics import (
    RecordSums,
    SplitStatistics,
    Spread,
    drift,
    measured_of,
    recorded_metrics,
    rejected_skins,
    spreads,
    statistics_of,
)
from relight_assets.quality.thresholds import verdicts
from relight_assets.quality.verify.files import read_files
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with


def all_recorded_metrics(images: list[RecordedImage]) -> list[Measured]:
    return [each for image in images for each in recorded_metrics(image)]


def test_values_are_by_the_number_of_the_image(finished: Bench) -> None:
    odd: tuple[tuple[Stage, str], ...] = (("masks", "segmenter"), ("masks", "no_such"))
    statistics = SplitStatistics({each: {} for each in (("masks", "coverage"), *odd)})
    for image in finished.recorded():
        statistics.add(image)
    coverage = statistics.values["masks", "coverage"]
    assert sorted(coverage) == [0, 1, 2, 3]
    assert all(0.05 < value < 1 for value in coverage.values())
    assert [statistics.values[each] for each in odd] == [{}, {}]  # text, and nothing


def test_lights_and_families_are_those_of_the_images_that_are_lit(finished: Bench) -> None:
    statistics = statistics_of(finished.recorded())
    assert set(statistics.families) == {0, 1, 2, 3}
    lights = statistics.light_directions
    assert len(lights) == 4
    sources = statistics.source_lights
    assert set(sources) <= {0, 1, 2, 3}
    assert sources
    # Records have six decimals.
    assert all(
        sum(part * part for part in light) == pytest.approx(1, abs=2e-6) for light in (*lights, *sources.values())
    )


def test_spreads_have_every_measure_and_each_family_as_a_share(finished: Bench) -> None:
    shares = ("soft_shading", "hard_shadow", "specular", "studio", "environment", "none")
    found = spreads(statistics_of(finished.recorded()))
    assert sum(found[f"share_{name}"].mean for name in shares) == pytest.approx(1)
    assert found["clipped"].images == found["strength"].images == 4
    assert 0.9 < found["score"].mean <= 1


def test_a_split_without_images_has_none(bench: Bench) -> None:
    bench.write_csv(["cat.png"])
    assert spreads(statistics_of(bench.recorded())) == {}


def test_a_record_that_has_gone_since_the_scan_is_left_out(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run(stages=["masks"])
    state = bench.state()
    bench.layout.record(0).unlink()
    (image,) = recorded_images(state.layout, state.images.values())
    assert (image.record.index, image.current) == (1, ("masks",))


def in_turn(stage: Stage, *numbers: Any) -> RecordSums:
    """The sums over images of whose stage these numbers are recorded."""
    sums = RecordSums()
    for each in numbers:
        record = SimpleNamespace(stages={stage: SimpleNamespace(numbers=each)})
        sums.add(RecordedImage(record, (stage,)))  # type: ignore[arg-type]
    return sums


def test_sums_of_numbers_and_families_add_up() -> None:
    sums = in_turn("masks", *({"coverage": 0.1 * (number + 1), "ok": True} for number in range(3)))
    assert sums.stages["masks"].mean("coverage") == pytest.approx(0.2)
    assert sums.stages["masks"].mean("ok") is None
    lit = in_turn("degraded", *({"degradation_type": each} for each in ("specular", "specular", "hard_shadow")))
    assert lit.families == {"specular": 2, "hard_shadow": 1}


@pytest.mark.parametrize("value", [None, True, "0.4", [0.4], 3.0, math.nan, 10**400])
def test_a_number_that_does_not_fit_is_left_out_of_the_mean(value: object) -> None:
    sums = in_turn("masks", *({"coverage": coverage, "score": 0.9} for coverage in (0.2, value, 0.6)))
    assert sums.stages["masks"].mean("coverage") == pytest.approx(0.4)
    assert sums.stages["masks"].counts == {"coverage": 2, "score": 3}


@pytest.mark.parametrize("numbers", [None, "text", [], {}, {"variants": 3}, {"degradation_type": True}, {"more": 1}])
def test_a_light_that_does_not_fit_is_of_no_family(numbers: object) -> None:
    lights = [{"degradation_type": "specular", "strength": 0.5}, {"degradation_type": "dusk", "strength": 0.7}, None]
    sums = in_turn("degraded", numbers, {"variants": lights})
    assert sums.families == {"specular": 1}
    assert sums.stages["degraded"].mean("strength") == pytest.approx(0.6)


def test_drift_counts_deviations_beyond_chance() -> None:
    before = Spread(10_000, 0.5, 0.1)
    assert drift(before, Spread(10_000, 0.53, 0.1)) == pytest.approx(0.3)
    assert drift(before, before) == 0
    assert drift(before, Spread(10_000, 0.502, 0.1)) == 0  # within three standard errors, 0.0042
    assert drift(before, Spread(20, 0.9, 0.1)) == 0  # too few to tell
    assert drift(Spread(100, 1.0, 0.0), Spread(100, 1.2, 0.0)) == 1  # nothing was spread, and it moved
    assert Spread.of([1.0, 3.0]) == Spread(2, 2.0, 1.0)


def test_something_rare_that_is_seen_for_the_first_time_is_no_drift() -> None:
    ones = [1.0] * 10_000
    assert drift(Spread.of(ones), Spread.of([*ones, *[0.0] * 10])) < 0.2


def test_a_number_that_is_always_the_same_has_not_moved_by_having_been_rounded() -> None:
    assert drift(Spread(100, 0.123457, 0.0), Spread(100, 0.1234567, 0.0)) == 0


def test_tags_are_counted_where_the_mask_is_current(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run(stages=["masks"])
    assert statistics_of(bench.recorded()).tags["monochrome"] == 0
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["masks"].numbers.update({"monochrome": True, "padded": 1, "truncated": False})
    write_record(bench.layout, record)
    found = statistics_of(bench.recorded()).tags
    assert (found["monochrome"], found["padded"], found["truncated"]) == (1, 0, 0)


def test_the_records_say_of_every_image_what_verify_measures(finished: Bench) -> None:
    state = finished.state()
    seen, read = all_recorded_metrics(finished.recorded()), read_files(state, Recipe(), None).measured
    assert [(each.index, each.family, each.skin_lightness) for each in seen] == [
        (each.index, each.family, each.skin_lightness) for each in read
    ]
    for one, other in zip(verdicts(seen, Recipe(), Quality()), verdicts(read, Recipe(), Quality()), strict=True):
        assert (one.metric, one.worst) == (other.metric, other.worst)
        assert one.value == pytest.approx(other.value, abs=1e-6)


@pytest.fixture
def damaged(finished: Bench) -> Callable[..., list[RecordedImage]]:
    """The records of a split, of which that of image 1 holds other numbers, as a damaged file would."""

    def records_with(stage: Stage, change: Callable[[dict[str, Any]], Any], **fields: Any) -> list[RecordedImage]:
        images = finished.recorded()
        assert [image.record.index for image in images] == [0, 1, 2, 3]
        record = images[1].record
        entry = record.stages[stage]
        numbers = copy.deepcopy(entry.numbers)
        changed = change(numbers)
        record.stages[stage] = replace(entry, numbers=numbers if changed is None else changed)
        images[1] = RecordedImage(replace(record, **fields), stage_names())
        return images

    return records_with


BAD = (None, True, "0.5", [0.5], {}, -1.0, 1e300, float("nan"))
ABSENT = object()


def with_(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(numbers: dict[str, Any]) -> None:
        numbers.pop(name)
        if value is not ABSENT:
            numbers[name] = value

    return change


@pytest.mark.parametrize("value", [*BAD, ABSENT])
def test_a_number_that_does_not_fit_is_left_out_and_the_others_count(
    damaged: Callable[..., Any], finished: Bench, value: object
) -> None:
    whole = statistics_of(finished.recorded()).values["masks", "coverage"]
    found = statistics_of(damaged("masks", with_("coverage", value)))
    left = {index: number for index, number in whole.items() if index != 1}
    assert found.values["masks", "coverage"] == left
    assert spreads(found)["coverage"] == Spread.of(list(left.values()))
    assert len(found.values["masks", "score"]) == 4


@pytest.mark.parametrize("value", [*BAD, ABSENT, [0.0, 0.0, 0.0], [1.0, "0", 0.0], [True, 0, 0], [3.0, 4.0, 0.0]])
def test_a_direction_that_is_none_is_left_out(damaged: Callable[..., Any], finished: Bench, value: object) -> None:
    images = damaged("degraded", with_("light_direction", value))
    whole = statistics_of(finished.recorded()).light_directions
    assert statistics_of(images).light_directions == [whole[0], *whole[2:]]
    directions = [each.light_direction for each in all_recorded_metrics(images)]
    assert directions == [whole[0], None, *whole[2:]]
    assert {verdict.metric for verdict in verdicts(all_recorded_metrics(images), Recipe(), Quality())}


@pytest.mark.parametrize("value", [None, True, 3, "dusk", []])
def test_a_family_that_is_none_is_left_out(damaged: Callable[..., Any], value: object) -> None:
    images = damaged("degraded", with_("degradation_type", value), degradation_type=value)
    assert set(statistics_of(images).families) == {0, 2, 3}
    assert all_recorded_metrics(images)[1].family is None


@pytest.mark.parametrize("value", [*BAD, ABSENT])
def test_a_measure_that_does_not_fit_leaves_the_others_of_its_image(damaged: Callable[..., Any], value: object) -> None:
    images = damaged("degraded", lambda numbers: with_("strength", value)(numbers["metrics"]))
    found = all_recorded_metrics(images)
    assert [each.metrics.strength is None for each in found] == [False, True, False, False]
    reported = {verdict.metric: verdict for verdict in verdicts(found, Recipe(), Quality())}
    assert reported["weakest"].images == reported["strongest"].images == 3
    assert 1 not in reported["weakest"].worst
    assert reported["identity"].images == 4
    assert reported["weakest"].value == min(each.metrics.strength for each in found if each.index != 1)


@pytest.mark.parametrize("numbers", [{"variants": []}, {"variants": 3}, {"variants": [None]}, ["x"], "text", {}])
def test_an_entry_that_is_damaged_as_a_whole_is_left_out(damaged: Callable[..., Any], numbers: object) -> None:
    images = damaged("degraded", lambda _: numbers)
    assert sorted(statistics_of(images).values["degraded", "strength"]) == [0, 2, 3]
    assert len(statistics_of(images).light_directions) == 3
    assert [each.index for each in all_recorded_metrics(images)] == [0, 2, 3]
    record = images[1].record
    metrics = all_recorded_metrics(images)[0].metrics
    for variant in range(2):
        measured = measured_of(record, variant, metrics)
        assert (measured.family, measured.light_direction, measured.mask_rim) == (None, None, None)


def test_of_many_lights_the_one_that_is_damaged_is_left_out(damaged: Callable[..., Any]) -> None:
    images = damaged("degraded", lambda numbers: {"variants": [numbers, {**numbers, "light_direction": True}, 7]})
    assert len(statistics_of(images).light_directions) == 4
    measured = all_recorded_metrics(images)
    assert [(each.index, each.variant) for each in measured] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
        (3, 0),
    ]


def test_a_tag_counts_where_it_is_true_alone(damaged: Callable[..., Any]) -> None:
    for value, count in ((True, 1), (1, 0), ("true", 0), (None, 0)):
        assert statistics_of(damaged("masks", with_("blocky", value))).tags["blocky"] == count


def test_a_photo_that_is_turned_away_keeps_the_lightness_of_its_skin(bench: Bench) -> None:
    bench.write_csv([PORTRAITS[0], "cat.png"])
    strict = recipe_with(photo_qa={"min_face": 200})
    bench.run(strict)
    (lightness,) = rejected_skins(bench.state(strict))
    assert 20 < lightness < 95
