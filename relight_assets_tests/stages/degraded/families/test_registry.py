"""A family of light that is added by one file: everything that lists families knows it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.loader import parse_recipe
from relight_assets.config.recipe.lights import Degradation, KeyLightOptions, family_names
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.metrics import fitted_family, misfits
from relight_assets.dataset.record_schema import json_schema
from relight_assets.defs.jobs.recipe_config import recipe_overrides
from relight_assets.defs.metadata.run_metadata import RunRecords, numbers
from relight_assets.engine.replay import replay
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets.quality.statistics import spreads, statistics_of
from relight_assets.reports.charts import family_counts
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.feasibility import recipe_feasibility
from relight_assets.stages.degraded.stage import DEGRADED
from relight_assets_tests.conftest import PORTRAITS, Bench

pytestmark = pytest.mark.usefixtures("worker_processes")

BUILT_IN = ("soft_shading", "hard_shadow", "specular", "none")
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
    assert Recipe().degradation.weights == {**dict(zip(BUILT_IN, (0.45, 0.35, 0.2, 0.0), strict=True)), tiny: 0}
    assert Recipe().differences == {}
    found = recipe_of({tiny: {"weight": 1.0}})
    assert found.degradation.weights[tiny] == 0.5
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
        assert light["light_angle_deg"] is None or light["light_angle_deg"] >= 30
    statistics = statistics_of(bench.recorded(recipe))
    assert family_counts(statistics) == {**dict.fromkeys(BUILT_IN, 0), tiny: 2}
    assert spreads(statistics)[f"share_{tiny}"].mean == 1
    shares = {name: value for name, value in numbers(records, "degraded").items() if name.startswith("share_")}
    assert shares == {**{f"share_{name}": 0.0 for name in BUILT_IN}, f"share_{tiny}": 1.0}


def test_it_is_added_to_other_families(bench: Bench, tiny: str) -> None:
    assert registry.second_names() == ("hard_shadow", "specular", tiny)
    bench.write_csv(PORTRAITS[:1])
    weights = {"hard_shadow": {"weight": 0}, "specular": {"weight": 0}, "soft_shading": {"weight": 1e6}}
    bench.run(recipe_of({**weights, tiny: {"weight": 1e-3}, "mixture_probability": 1.0}))
    (light,) = lights(bench)
    assert misfits("degraded", light) == []
    assert (light["degradation_type"], light["mixed_with"]) == ("soft_shading", tiny)


def test_a_record_of_it_is_replayed(bench: Bench, tiny: str) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_of({**only(tiny), "mixture_probability": 0.0}))
    made = replay(bench.layout.record(0))
    assert [each.name for each in made if each.same] == ["albedo", "degraded_fg", "output"]
