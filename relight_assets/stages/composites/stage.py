"""The stage ``composites`` as a StageSpec: lay the degraded person on the recipe's background."""

from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Pixels8
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec, variant_name
from relight_assets.stages.composites.composite import composite
from relight_assets.stages.metric import Metric, one_of

METRICS = (Metric("background", one_of("gray", "original"), "What is behind the person", required=True),)


def _reads(recipe: Recipe) -> tuple[str, ...]:
    people = tuple(variant_name("degraded_fg", number, recipe.variant_count) for number in range(recipe.variant_count))
    return people if recipe.background.use_gray else (*people, "background")


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    return {"background": recipe.background.model_dump(mode="json")}


def _make(inputs: StageInputs) -> StageOutput:
    recipe = inputs.recipe
    behind = None if recipe.background.use_gray else inputs.read("background")
    files: dict[str, Pixels8 | bytes] = {}
    for variant in range(recipe.variant_count):
        person = inputs.read(variant_name("degraded_fg", variant, recipe.variant_count))
        files[variant_name("output", variant, recipe.variant_count)] = composite(person, behind, recipe.background)
    return StageOutput(files, {"background": "gray" if behind is None else "original"})


COMPOSITES = StageSpec(
    name="composites",
    code_version="1",
    artifacts=("output",),
    may_read=("degraded_fg", "background"),
    reads=_reads,
    recipe_part=_recipe_part,
    make=_make,
    metrics=lambda: METRICS,
    description=(
        "The degraded foreground on gray (or on the photo's own background): the model's input; the photo is "
        "its target. Per image: `NNNNN_output.png` (RGB)."
    ),
    keyed_by_source=False,
    per_light=True,
    kinds=frozenset({"python", "opencv"}),
)
