"""The published schema of a record's numbers, and what of damaged ones is kept."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight_assets.config.recipe.degradation import Degradation, family_names
from relight_assets.dataset.metrics import (
    fitted,
    fitted_direction,
    fitted_family,
    fitted_timings,
    lights_of,
    misfits,
    value_of,
)
from relight_assets.stages.base import Stage
from relight_assets.stages.degraded.metrics import MEASURED, metrics
from relight_assets.stages.degraded.sampler import LIGHTS, TRIES
from relight_assets.stages.image_metrics import ImageMetrics
from relight_assets.stages.masks import photo_tags
from relight_assets.stages.registry import stage_names, stage_spec, stages
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with

DOCS = Path(__file__).resolve().parents[2] / "docs" / "records.md"


def entries(bench: Bench, index: int) -> dict[Stage, dict[str, Any]]:
    record = json.loads(bench.layout.record(index).read_text(encoding="utf-8"))
    return {stage: entry["numbers"] for stage, entry in record["stages"].items()}


@pytest.fixture(scope="module")
def numbers(finished: Bench) -> dict[Stage, dict[str, Any]]:
    return entries(finished, 0)


# -- what is written -----------------------------------------------------------------------------------------


def test_records_fit_and_come_back_as_they_are(finished: Bench) -> None:
    for index in range(4):
        for stage, found in entries(finished, index).items():
            assert misfits(stage, found) == []
            assert fitted(stage, found) is found


def only(family: str, **changes: Any) -> dict[str, Any]:
    weights: dict[str, dict[str, Any]] = {name: {"weight": float(name == family)} for name in family_names()}
    weights[family] |= changes
    return {"degradation": weights}


@pytest.mark.parametrize(
    "sections",
    [
        {"variants": 6, "degradation": {"mixture_probability": 1.0}},
        {"albedo_extraction": {"mix": {"retinex": 0, "msr_classic": 1}}, "background": {"use_gray": False}},
        {"variants": 8, **only("hard_shadow", kinds={"none": 0})},
        only("specular"),
        only("none"),
    ],
)
def test_whatever_a_recipe_draws_fits(bench: Bench, sections: dict[str, Any]) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run(recipe_with(**sections))
    for index in range(2):
        found = entries(bench, index)
        assert set(found) == set(stage_names())
        for stage in stage_names():
            assert misfits(stage, found[stage]) == []
            assert fitted(stage, found[stage]) is found[stage]


def test_names_and_bounds_are_those_of_the_code_that_makes_them() -> None:
    assert tuple(metric.name for metric in MEASURED) == tuple(ImageMetrics.__dataclass_fields__)
    assert set(family_names()) == set(Degradation().weights)
    named = {metric.name: metric for metric in stage_spec("masks").metrics()}
    assert set(photo_tags.NAMES) <= set(named)
    drawn = {metric.name: metric.kind.text for metric in metrics()}
    assert drawn["strength_tries"] == f"whole number, 1 to {TRIES}"
    assert drawn["lights_drawn"] == f"whole number, 1 to {LIGHTS}"
    for spec in stages():
        assert len({metric.name for metric in spec.metrics()}) == len(spec.metrics())


# -- what is damaged -----------------------------------------------------------------------------------------

WRONG = [
    ("masks", "coverage", "0.5"),
    ("masks", "coverage", True),
    ("masks", "coverage", 1.5),
    ("masks", "coverage", math.nan),
    ("masks", "coverage", None),
    ("masks", "faces", 1.5),
    ("masks", "faces", -1),
    ("masks", "faces", 10**400),
    ("masks", "blocky", 1),
    ("masks", "fingerprint", "7" * 63),
    ("masks", "fingerprint", "7" * 64 + "\n"),
    ("masks", "face_meshes", [3]),
    ("masks", "skin_lightness", 101),
    ("albedo", "method", "magic"),
    ("albedo", "gain", math.inf),
    ("degraded", "degradation_type", "dusk"),
    ("degraded", "light_direction", True),
    ("degraded", "light_direction", [0.0, 0.0, 0.0]),
    ("degraded", "light_direction", [1.0, 0.0]),
    ("degraded", "light_direction", [math.nan, 0.0, 1.0]),
    ("degraded", "strength", [0.5]),
    ("degraded", "metrics", 3),
    ("composites", "background", {}),
]


@pytest.mark.parametrize(("stage", "name", "value"), WRONG)
def test_a_metric_that_does_not_fit_is_null_and_named(
    numbers: dict[Stage, dict[str, Any]], stage: Stage, name: str, value: object
) -> None:
    whole = copy.deepcopy(numbers[stage])
    assert fitted(stage, {**whole, name: value}) == {**whole, name: None}
    assert value_of(stage, {**whole, name: value}, name) is None
    (reported,) = misfits(stage, {**whole, name: value})
    assert reported.startswith(f"`{stage}.{name}` is ")
    assert "wanted: " in reported
    assert len(reported) < 200


def test_what_is_missing_stays_so_and_what_is_not_known_is_left_out(numbers: dict[Stage, dict[str, Any]]) -> None:
    found = copy.deepcopy(numbers["masks"])
    del found["coverage"]
    assert fitted("masks", {**found, "mood": 3}) == found
    assert misfits("masks", {**found, "mood": 3}) == ["`masks.coverage` is missing", "`masks.mood` is not known"]
    found["face_size"] = None
    assert misfits("masks", found | {"coverage": 0.5}) == []


def test_of_what_was_measured_of_an_image_the_rest_is_kept(numbers: dict[Stage, dict[str, Any]]) -> None:
    found = copy.deepcopy(numbers["degraded"])
    whole = dict(found["metrics"])
    found["metrics"] |= {"strength": "much", "more": 1}
    assert fitted("degraded", found)["metrics"] == whole | {"strength": None}
    assert misfits("degraded", found) == [
        '`degraded.metrics.strength` is "much", wanted: number, 0 to 64',
        "`degraded.metrics.more` is not known",
    ]


def test_each_of_many_lights_keeps_its_place(numbers: dict[Stage, dict[str, Any]]) -> None:
    light = numbers["degraded"]
    found = {"variants": [light, {**light, "wrap": True, "artifact_score": -1.0}, 7], "more": 1}
    assert fitted("degraded", found) == {"variants": [light, {**light, "wrap": None, "artifact_score": None}, {}]}
    assert misfits("degraded", found)[0] == "`degraded.more` is not known"
    assert misfits("degraded", found)[-1] == "`degraded.variants[2]` is no object"
    assert any(
        reported.startswith("`degraded.variants[1].artifact_score` is -1.0") for reported in misfits("degraded", found)
    )
    assert lights_of(found) == [*found["variants"][:2], {}]
    assert lights_of(light) == [light]
    assert misfits("degraded", {"variants": []}) == ["`degraded.variants` is no list of lights"]


keys = st.text(max_size=5) | st.sampled_from([*(metric.name for metric in metrics()), "variants"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(stage_names()), json_values)
def test_nothing_raises_whatever_a_record_holds(stage: Stage, value: Any) -> None:
    found = fitted(stage, value)
    assert isinstance(found, dict)
    assert fitted(stage, found) == found
    assert all(isinstance(reported, str) for reported in misfits(stage, value))
    assert all(isinstance(light, dict) for light in lights_of(value))
    fitted_direction(value)
    fitted_family(value)
    fitted_timings(value)


@pytest.mark.parametrize("value", [[], "text", None, 3, ["variants"]])
def test_what_is_no_object_has_no_numbers(value: object) -> None:
    assert fitted("degraded", value) == {}
    assert misfits("degraded", value) == ["the numbers of `degraded` are no object"]


# -- what a record holds beside them -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [None, True, [0, 0], [0.0, 0.0, 1.1], [0, 0, True], ["0", 0, 1], [math.nan, 0, 1], [10**400, 0, 0], (0, 0, 1)],
)
def test_a_direction_is_a_unit_vector_or_none(value: object) -> None:
    assert fitted_direction(value) is None


def test_a_direction_may_be_rounded() -> None:
    for direction in ([0, 0, 1], [0.6, -0.8, 0.0], [0.577, 0.577, 0.577]):
        assert fitted_direction(direction) is direction


def test_a_family_is_one_of_six() -> None:
    names = ["soft_shading", "hard_shadow", "specular", "studio", "environment", "none"]
    assert [fitted_family(value) for value in (*names, "dusk", None, 3, ["none"])] == [*names, *[None] * 4]


def test_times_are_those_that_are_numbers() -> None:
    found = {"masks": 3.5, "albedo": 2, "a": None, "b": "1", "c": -1.0, "d": math.nan, "e": True, "f": math.inf}
    assert fitted_timings(found) == {"masks": 3.5, "albedo": 2}
    assert fitted_timings([1.0]) == fitted_timings(None) == {}
