"""A light family that is added by one file, numbers of its own included: everything that lists families knows it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.degradation import Degradation, family_names
from relight_assets.config.recipe.family_options import KeyLightOptions
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.rng import stream
from relight_assets.dataset.metrics import fitted, fitted_family, misfits, value_of
from relight_assets.dataset.record_schema import json_schema, tables
from relight_assets.defs.jobs.recipe_config import recipe_overrides
from relight_assets.defs.metadata.run_metadata import RunRecords, numbers
from relight_assets.engine.replay import replay
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets.quality.statistics import spreads, statistics_of
from relight_assets.reports.charts import family_counts
from relight_assets.stages.degraded import metrics
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.feasibility import recipe_feasibility
from relight_assets.stages.degraded.light_sampler import SECOND
from relight_assets.stages.degraded.metrics import LIGHT
from relight_assets.stages.degraded.sampler import relight
from relight_assets.stages.degraded.shading.metrics import AMBIENT
from relight_assets.stages.degraded.stage import DEGRADED
from relight_assets_tests.conftest import PORTRAITS, Bench
from relight_assets_tests.stages.degraded.families.tiny import DIMMING
from relight_assets_tests.stages.degraded.scenes import portrait_scene

pytestmark = pytest.mark.usefixtures("worker_processes")

BUILT_IN = ("soft_shading", "hard_shadow", "specular", "studio", "environment", "none")
MODULE = "relight_assets_tests.stages.degraded.families.tiny"


@pytest.fixture
def tiny() -> Iterator[str]:
    registry.register_families([MODULE])
    yield "tiny"
    registry.remove_families([MODULE])


def recipe_of(degradation: dict[str, Any], **sections: Any) -> Recipe:
    return parse_recipe({"degradation": degradation, **sections}, "recipe.yaml", Path.cwd()).recipe


def only(family: str, **options: Any) -> dict[str, Any]:
    weights: dict[str, Any] = {name: {"weight": float(name == family)} for name in family_names()}
    weights[family] |= options
    return weights


def lights(bench: Bench) -> list[dict[str, Any]]:
    records = [json.loads(bench.layout.record(index).read_text(encoding="utf-8")) for index in bench.indices()]
    return [record["stages"]["degraded"]["numbers"] for record in records]


def test_every_section_of_the_recipe_has_its_module() -> None:
    assert family_names() == BUILT_IN
    for name in BUILT_IN:
        family = registry.family(name)
        assert family.name == name
        assert type(Degradation().families[name]) is family.options
        assert (family.min_strength(Degradation()) > 0) == issubclass(family.options, KeyLightOptions)
    assert registry.second_names() == ("hard_shadow", "specular")
    assert registry.extra_modules() == ()


def test_a_family_is_part_of_the_recipe_while_it_is_registered(tiny: str) -> None:
    assert family_names() == (*BUILT_IN, tiny)
    assert registry.extra_modules() == (MODULE,)
    shares = dict(zip(BUILT_IN, (0.38 / 1.2, 0.35, 1 / 6, 1 / 6, 0.0, 0.0), strict=True))
    assert Recipe().degradation.weights == pytest.approx({**shares, tiny: 0})
    assert Recipe().differences == {}
    found = recipe_of({tiny: {"weight": 1.0}})
    assert found.degradation.weights[tiny] == pytest.approx(1 / 2.2)
    assert found.differences == {"degradation": {tiny: {"weight": 1.0}}}
    assert DEGRADED.recipe_part(found)["degradation"][tiny]["weight"] == 1.0
    with pytest.raises(ConfigError, match=r"unknown key `degradation.tiny.wieght`; did you mean `degradation.*weight`"):
        recipe_of({tiny: {"wieght": 1}})
    with pytest.raises(ConfigError, match=r"light_sampling\.elevation_range .* degradation\.tiny\.elevation_range"):
        recipe_of({tiny: {"weight": 1, "elevation_range": [70, 75]}}, light_sampling={"elevation_range": [20, 50]})
    launchpad = recipe_overrides().config_type.fields["degradation"].config_type.fields[tiny].config_type.fields
    assert launchpad["weight"].description == "How often it is drawn, against the other families."
    assert set(launchpad) == {"weight", "min_strength", "elevation_range", "ambient_range"}


def test_it_is_in_the_published_schema_of_records(tiny: str) -> None:
    published = json_schema()["$defs"]["degraded_numbers"]["properties"]
    assert published["degradation_type"]["enum"] == [*BUILT_IN, tiny]
    assert published["mixed_with"]["enum"] == ["", "hard_shadow", "specular", tiny]
    assert fitted_family(tiny) == tiny


def test_its_own_metrics_are_in_the_schema_and_in_the_table_of_the_docs_while_it_is_registered(tiny: str) -> None:
    published = json_schema()["$defs"]["degraded_numbers"]
    assert published["properties"]["flicker"] == {
        "type": "number",
        "minimum": 0,
        "maximum": 0.1,
        "description": "Share of its light that the lamp lacks",
        "unit": "lamps",
    }
    assert (
        published["properties"]["second_dimming"]["description"] == "Factor on the other family's light (second family)"
    )
    assert not {"flicker", "second_dimming"} & set(published["required"])
    row = "| `flicker` | number, 0 to 0.1; not always there | lamps | Share of its light that the lamp lacks |"
    assert row in tables().splitlines()
    registry.remove_families([MODULE])
    try:
        assert not {"flicker", "second_dimming"} & set(json_schema()["$defs"]["degraded_numbers"]["properties"])
        assert "`flicker`" not in tables()
        assert "`degraded.flicker` is not known" in misfits("degraded", {"flicker": 0.05})
        assert fitted("degraded", {"flicker": 0.05}) == {}
    finally:
        registry.register_families([MODULE])
    assert fitted("degraded", {"flicker": 0.05}) == {"flicker": 0.05}
    assert fitted("degraded", {"flicker": 0.5}) == {"flicker": None}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_lights_of_a_family_have_the_metrics_that_it_declares_and_no_others(name: str) -> None:
    scene = portrait_scene()
    declared = {metric.name for metric in (*LIGHT, *registry.family(name).metrics)}
    takes_second = registry.family(name).takes_second and name != "none"
    for second in ("", *(each for each in registry.second_names() if takes_second and name != each)):
        seconds = {f"{SECOND}{metric.name}" for metric in registry.family(second).second_metrics} if second else set()
        weights: dict[str, dict[str, Any]] = {
            each: {"weight": {name: 1e6, second: 1e-3}.get(each, 0)} for each in BUILT_IN
        }
        weights["environment"]["environment_dir"] = "nowhere"  # then a made panorama is taken
        degradation = Degradation.model_validate(weights | {"mixture_probability": float(bool(second))})
        for seed in range(3):
            streams = partial(stream, seed, "", 0)
            numbers = relight(scene, degradation, LightSampling(), streams).numbers
            assert numbers["mixed_with"] == second
            placed = {"pattern_type"} if second == "hard_shadow" else set()  # that of the one pattern there is
            assert set(numbers) <= declared | seconds | placed


def test_two_families_do_not_declare_different_metrics_under_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(registry.family("none"), metrics=(replace(AMBIENT, unit="lamps"),))
    monkeypatch.setattr(metrics, "families", lambda: (registry.family("soft_shading"), odd))
    with pytest.raises(ValueError, match="`ambient` is declared twice"):
        metrics.metrics()


def test_registering_a_family_twice_and_taking_it_back_leaves_nothing(tiny: str) -> None:
    registry.register_families([MODULE])
    assert family_names() == (*BUILT_IN, tiny)
    registry.remove_families([MODULE])
    try:
        assert family_names() == BUILT_IN
        assert fitted_family(tiny) is None
        assert not hasattr(Recipe().degradation, tiny)
        with pytest.raises(ConfigError, match=r"unknown key `degradation\.tiny`"):
            recipe_of({tiny: {"weight": 1.0}})
    finally:
        registry.register_families([MODULE])


def test_whether_its_lights_are_strong_enough_is_checked(tiny: str) -> None:
    assert recipe_feasibility(recipe_of(only(tiny)))[tiny] > 0.9
    assert tiny not in recipe_feasibility(Recipe())
    with pytest.raises(
        ConfigError, match=r"degradation\.tiny: only .* lower tiny's `ambient_range`, or set its weight"
    ):
        check_feasible(recipe_of(only(tiny, ambient_range=[0.98, 1.0])))


def test_it_is_drawn_rendered_and_recorded_by_a_worker_of_its_own(bench: Bench, tiny: str) -> None:
    bench.write_csv(PORTRAITS[:2])
    recipe = recipe_of({**only(tiny), "mixture_probability": 0.0})
    summary = bench.run(recipe)
    records = RunRecords.of(summary)
    assert records.sums.families == {tiny: 2}
    for light in lights(bench):
        assert misfits("degraded", light) == []
        assert (light["degradation_type"], light["mixed_with"]) == (tiny, "")
        assert light["strength"] >= 0.3
        assert 0.1 <= light["ambient"] <= 0.3
        assert 0 < light["flicker"] <= 0.1
        assert value_of("degraded", light, "flicker") == light["flicker"]
        assert light["light_angle_deg"] is None or light["light_angle_deg"] >= 30
    statistics = statistics_of(bench.recorded(recipe))
    assert family_counts(statistics) == {**dict.fromkeys(BUILT_IN, 0), tiny: 2}
    assert spreads(statistics)[f"share_{tiny}"].mean == 1
    shares = {name: value for name, value in numbers(records, "degraded").items() if name.startswith("share_")}
    assert shares == {**{f"share_{name}": 0.0 for name in BUILT_IN}, f"share_{tiny}": 1.0}


def test_it_is_added_to_other_families(bench: Bench, tiny: str) -> None:
    assert registry.second_names() == ("hard_shadow", "specular", tiny)
    bench.write_csv(PORTRAITS[:1])
    weights = {
        "hard_shadow": {"weight": 0},
        "specular": {"weight": 0},
        "studio": {"weight": 0},
        "soft_shading": {"weight": 1e6},
    }
    bench.run(recipe_of({**weights, tiny: {"weight": 1e-3}, "mixture_probability": 1.0}))
    (light,) = lights(bench)
    assert misfits("degraded", light) == []
    assert (light["degradation_type"], light["mixed_with"]) == ("soft_shading", tiny)
    assert light["second_dimming"] == DIMMING


def test_a_record_of_it_is_replayed(bench: Bench, tiny: str) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_of({**only(tiny), "mixture_probability": 0.0}))
    made = replay(bench.layout.record(0))
    assert [each.name for each in made if each.same] == ["albedo", "degraded_fg", "output"]
