"""What records say as numbers, and when a mean has moved."""

import pytest

from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.statistics import (
    Spread,
    drift,
    families,
    glances,
    light_directions,
    rejected_skins,
    spreads,
    tags,
    values,
)
from relight_assets.quality.verdicts import verdicts
from relight_assets.recipe import Recipe
from relight_assets.thresholds import Quality
from relight_assets.verify import read_files
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with


def test_values_are_by_the_number_of_the_image(finished: Bench) -> None:
    survey = finished.survey()
    coverage = values(survey, "masks", "coverage")
    assert sorted(coverage) == [0, 1, 2, 3]
    assert all(0.05 < value < 1 for value in coverage.values())
    assert values(survey, "masks", "segmenter") == {}  # text
    assert values(survey, "masks", "no_such") == {}


def test_lights_and_families_are_those_of_the_images_that_are_lit(finished: Bench) -> None:
    survey = finished.survey()
    assert set(families(survey)) == {0, 1, 2, 3}
    lights = list(light_directions(survey))
    assert len(lights) == 4
    assert all(sum(part * part for part in light) == pytest.approx(1) for light in lights)


def test_spreads_have_every_measure_and_each_family_as_a_share(finished: Bench) -> None:
    shares = ("soft_shading", "hard_shadow", "specular", "none")
    found = spreads(finished.survey(), shares)
    assert sum(found[f"share_{name}"].mean for name in shares) == pytest.approx(1)
    assert found["clipped"].images == found["strength"].images == 4
    assert 0.9 < found["score"].mean <= 1


def test_a_split_without_images_has_none(bench: Bench) -> None:
    bench.write_csv(["cat.png"])
    assert spreads(bench.survey(), ("none",)) == {}


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
    assert tags(bench.survey())["monochrome"] == 0
    record = read_record(bench.layout.record(0))
    assert record is not None
    record.stages["masks"].numbers.update({"monochrome": True, "padded": 1, "truncated": False})
    write_record(bench.layout, record)
    found = tags(bench.survey())
    assert (found["monochrome"], found["padded"], found["truncated"]) == (1, 0, 0)


def test_the_records_say_of_every_picture_what_verify_measures(finished: Bench) -> None:
    survey = finished.survey()
    seen, read = glances(survey), read_files(survey, Recipe(), None).measured
    assert [(each.index, each.family, each.skin_lightness) for each in seen] == [
        (each.index, each.family, each.skin_lightness) for each in read
    ]
    for one, other in zip(verdicts(seen, Recipe(), Quality()), verdicts(read, Recipe(), Quality()), strict=True):
        assert (one.metric, one.worst) == (other.metric, other.worst)
        assert one.value == pytest.approx(other.value, abs=1e-6)


def test_records_without_measures_are_left_out(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    record = read_record(bench.layout.record(0))
    assert record is not None
    del record.stages["degraded"].numbers["seen"]["identity"]
    write_record(bench.layout, record)
    assert glances(bench.survey()) == []


def test_a_photo_that_is_turned_away_keeps_the_lightness_of_its_skin(bench: Bench) -> None:
    bench.write_csv([PORTRAITS[0], "cat.png"])
    strict = recipe_with(photo_qa={"min_face": 200})
    bench.run(strict)
    (lightness,) = rejected_skins(bench.survey(strict))
    assert 20 < lightness < 95
