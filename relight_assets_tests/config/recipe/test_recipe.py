"""The recipe's models: defaults, conversions, digests."""

import re

import pytest
from pydantic import ValidationError

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.variants import PlannedVariant
from relight_assets.core.hashing import canonical_digest
from relight_assets.stages.registry import stage_names, stage_spec


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Recipe().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"seed": 1}, {"degraded"}),
        ({"image_size": 512}, {"masks"}),
        ({"masks": {"min_score": 0.5}}, {"masks"}),
        ({"albedo_extraction": {"methods": {"retinex": {"strength": 0.5}}}}, {"albedo"}),
        ({"degradation": {"soft_shading": {"weight": 1}}}, {"degraded"}),
        ({"light_sampling": {"azimuth_range": [0, 90]}}, {"degraded"}),
        ({"background": {"gray_color": [1, 2, 3]}}, {"composites"}),
        ({"background": {"use_gray": False}}, {"composites"}),
        ({"background": {"blend": "linear"}}, {"masks", "composites"}),
        ({"geometry": {"source": "depth_file"}}, {"degraded"}),
        ({"geometry": {"files": "{stem}_z.png", "network": {"size": 70}}}, set()),
        ({"albedo_extraction": {"methods": {"learned": {"size": 64}}}}, set()),
        ({"albedo_extraction": {"mix": {"retinex": 0, "learned": 1}}}, {"albedo"}),
        ({"sam3": {"text_prompt": "man"}}, set()),
        ({"variants": 2, "vary": "one"}, {"degraded"}),
        ({"ladder": [0, 0.5]}, {"degraded"}),
        ({"ladder": [1]}, set()),
        ({"no_gobo": True}, {"degraded"}),
        ({"keep_light": True}, set()),
    ],
)
def test_a_key_changes_the_digest_of_the_stages_it_concerns(change: dict[str, object], stages: set[str]) -> None:
    plain, changed = Recipe(), Recipe.model_validate(change)
    assert {
        s
        for s in stage_names()
        if canonical_digest(stage_spec(s).recipe_part(plain)) != canonical_digest(stage_spec(s).recipe_part(changed))
    } == stages


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ({"files": "{stem}_z.png"}, set()),  # what the file holds counts, not its name
        ({"network": {"size": 70}}, set()),
        ({"y_axis": "down"}, set()),
        ({"invert": True}, {"degraded"}),
        ({"join_faces": False}, {"degraded"}),
        ({"source": "normals_file"}, {"degraded"}),
    ],
)
def test_of_a_geometry_only_what_is_used_counts(change: dict[str, object], stages: set[str]) -> None:
    plain, changed = (Recipe.model_validate({"geometry": {"source": "depth_file"} | each}) for each in ({}, change))
    assert {
        s
        for s in stage_names()
        if canonical_digest(stage_spec(s).recipe_part(plain)) != canonical_digest(stage_spec(s).recipe_part(changed))
    } == stages


@pytest.mark.parametrize("files", ["depth.png", "{folder}/depth.png", "{stem}_{name}.png", ""])
def test_a_photo_s_file_has_a_name_of_its_own(files: str) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"geometry": {"files": files}})


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_digest({"a": 1, "b": 2}) == canonical_digest({"b": 2, "a": 1})


def test_variants_are_lights_then_mixes_then_lights_without_a_pattern() -> None:
    assert Recipe().planned_variants == (PlannedVariant("light", 0),)
    recipe = Recipe.model_validate({"variants": 2, "ladder": [0, 0.5, 1], "no_gobo": True})
    assert recipe.variant_count == 7
    assert recipe.planned_variants == (
        PlannedVariant("light", 0),
        PlannedVariant("light", 1),
        PlannedVariant("mix", 0, 0.0),
        PlannedVariant("mix", 0, 0.5),
        PlannedVariant("mix", 1, 0.5),
        PlannedVariant("no_gobo", 0),
        PlannedVariant("no_gobo", 1),
    )


NO_PATTERNS = {"hard_shadow": {"weight": 0}}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"ladder": [0.5, 0.5]}, "must ascend, each once"),
        ({"ladder": [0.5, 1.5]}, "less than or equal to 1"),
        ({"vary": "one"}, "set `variants` to 2 or more"),
        ({"vary": "two"}, "'all' or 'one'"),
        ({"no_gobo": True, "degradation": NO_PATTERNS}, "give `degradation.hard_shadow` a weight"),
        ({"variants": 64, "ladder": [0.2, 0.4, 0.6, 0.8]}, "make 320 pictures of each portrait; at most 256"),
    ],
)
def test_variants_that_cannot_be_made_are_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        Recipe.model_validate(keys)
