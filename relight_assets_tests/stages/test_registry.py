"""A stage that is one file is planned, run in worker processes, recorded, replayed and shown as an asset."""

from collections.abc import Iterator
from dataclasses import replace

import dagster as dg
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.metrics import misfits, value_of
from relight_assets.dataset.records import read_record
from relight_assets.defs.assets.images import images_asset
from relight_assets.engine.replay import replay
from relight_assets.stages import registry
from relight_assets.stages.registry import register_stages, remove_stages, stage_names, stage_of, stage_spec, stages
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, read_rgb, recipe_with
from relight_assets_tests.stages import negative_stage

pytestmark = pytest.mark.usefixtures("worker_processes")

MODULE = negative_stage.__name__


@pytest.fixture
def negatives() -> Iterator[None]:
    register_stages([MODULE])
    yield
    remove_stages([MODULE])


def test_each_stage_reads_what_earlier_ones_write() -> None:
    written: set[str] = set()
    for spec in stages():
        assert set(spec.may_read) <= written
        assert set(spec.reads_under(Recipe())) <= set(spec.may_read)
        assert written.isdisjoint(spec.artifacts)
        written |= set(spec.artifacts)
    assert [stage_of(name) for name in ("input", "albedo", "v2_degraded_fg", "output")] == list(stage_names())
    with pytest.raises(KeyError):
        stage_of("negative")


def test_an_added_stage_comes_last_and_goes_again(negatives: None) -> None:
    assert stage_names() == ("masks", "albedo", "degraded", "composites", "negatives")
    assert stage_of("v3_negative") == "negatives"
    register_stages([MODULE])
    assert registry.extra_modules() == (MODULE,)
    remove_stages([MODULE])
    assert stage_names() == ("masks", "albedo", "degraded", "composites")


def test_it_is_planned_run_recorded_and_replayed(bench: Bench, negatives: None) -> None:
    bench.write_csv(PORTRAITS[:2])
    assert computed(bench.run()) == dict.fromkeys(stage_names(), 2)
    for index in range(2):
        made = read_rgb(bench.layout.png(index, "negative"))
        assert np.array_equal(made, 255 - read_rgb(bench.layout.png(index, "output")))
        record = read_record(bench.layout.record(index))
        assert record is not None
        numbers = record.stages["negatives"].numbers
        assert value_of("negatives", numbers, "brightness") == pytest.approx(float(np.mean(made)), abs=0.01)
        assert misfits("negatives", numbers) == []
        assert misfits("negatives", {"brightness": 300}) != []
        assert record.stages["negatives"].code == "1"
    again = replay(bench.layout.record(0))
    assert [each.name for each in again] == ["albedo", "degraded_fg", "output", "negative"]
    assert all(each.same for each in again)
    assert computed(bench.run()) == dict.fromkeys(stage_names(), 0)


def test_it_follows_what_it_reads_and_its_own_version(bench: Bench, negatives: None) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(variants=2))
    assert bench.layout.png(0, "v2_negative").is_file()
    gray = recipe_with(variants=2, background={"gray_color": [9, 9, 9]})
    assert computed(bench.run(gray)) == {"masks": 0, "albedo": 0, "degraded": 0, "composites": 1, "negatives": 1}
    registry._STAGES["negatives"] = replace(negative_stage.STAGE, code_version="2")
    state = bench.state(gray)
    assert [image.current for image in state.images.values()] == [("masks", "albedo", "degraded", "composites")]


def test_a_record_with_a_stage_that_is_gone_is_made_again(bench: Bench, negatives: None) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    remove_stages([MODULE])
    assert read_record(bench.layout.record(0)) is None


def test_it_is_shown_as_an_asset(negatives: None) -> None:
    made = images_asset(stage_names())
    key = dg.AssetKey("negatives")
    assert made.keys == {dg.AssetKey(name) for name in stage_names()}
    recipe = dg.AssetKey(["recipe", "negatives"])
    (spec,) = (each for each in made.specs if each.key == key)
    assert {dependency.asset_key for dependency in spec.deps} == {dg.AssetKey("composites"), recipe}
    assert spec.description == stage_spec("negatives").description
    assert spec.code_version == "1"
