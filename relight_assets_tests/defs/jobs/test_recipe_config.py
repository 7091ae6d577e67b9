"""The recipe as run config: typed, described, and merged over the recipe file's."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.defs.jobs.recipe_config import overridden, quality_overrides, recipe_overrides


def accepted(recipe: dict[str, Any]) -> dict[str, Any]:
    """What an op is given of a recipe in its run config."""
    seen: dict[str, Any] = {}

    @dg.op(config_schema={"recipe": recipe_overrides()})
    def look(context: dg.OpExecutionContext) -> None:
        seen.update(context.op_config["recipe"])

    @dg.job
    def one() -> None:
        look()

    config = {
        "ops": {"look": {"config": {"recipe": recipe}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    assert one.execute_in_process(run_config=config).success
    return seen


def fields(shape: Any, name: str = "") -> Iterator[tuple[str, dg.Field]]:
    for key, field in shape.fields.items():
        yield f"{name}{key}", field
        if hasattr(field.config_type, "fields"):
            yield from fields(field.config_type, f"{name}{key}.")


def test_every_key_of_the_recipe_is_there_and_described() -> None:
    found = dict(fields(recipe_overrides().config_type))
    leaves = {name for name, field in found.items() if not hasattr(field.config_type, "fields")}
    assert leaves == set(flat(Recipe().model_dump()))
    assert not [name for name, field in found.items() if not field.description]
    assert not [name for name, field in found.items() if field.is_required]


def test_thresholds_are_offered_beside_the_recipe_and_not_in_it() -> None:
    assert "quality" not in recipe_overrides().config_type.fields
    found = dict(fields(quality_overrides().config_type))
    assert set(found) == set(Quality.model_fields)
    assert not [name for name, field in found.items() if not field.description or field.is_required]


def flat(recipe: dict[str, Any], name: str = "") -> Iterator[str]:
    for key, value in recipe.items():
        if isinstance(value, dict):
            yield from flat(value, f"{name}{key}.")
        else:
            yield f"{name}{key}"


def test_a_whole_recipe_goes_through_and_is_the_same() -> None:
    recipe = Recipe().model_dump(mode="json")
    assert Recipe.model_validate(accepted(recipe)) == Recipe()


def test_what_is_left_out_stays_and_lists_are_replaced_whole() -> None:
    base = Recipe.model_validate({"image_size": 512, "background": {"gray_color": [1, 2, 3]}})
    given = accepted({"degradation": {"soft_shading": {"ambient_range": [0.1, 0.2]}}, "image_size": None})
    made = Recipe.model_validate(overridden(base, given))
    assert made.degradation.soft_shading.ambient_range == (0.1, 0.2)
    assert made.degradation.soft_shading.wrap_range == Recipe().degradation.soft_shading.wrap_range
    assert made.image_size is None
    assert made.background.gray_color == (1, 2, 3)
    assert overridden(base, {}) == base.model_dump(mode="json")


@pytest.mark.parametrize(
    ("recipe", "reported"),
    [
        ({"sead": 1}, "sead"),
        ({"seed": "one"}, "seed"),
        ({"quality": {"max_comb": 0.1}}, "quality"),
        ({"segmenter": "unet"}, "segmenter"),
        ({"degradation": {"soft_shading": {"ambient_range": 0.2}}}, "ambient_range"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_run(recipe: dict[str, Any], reported: str) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match=reported):
        accepted(recipe)
