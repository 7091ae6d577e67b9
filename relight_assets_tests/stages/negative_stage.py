"""A fifth stage in one file: the composite with its colours turned round."""

from typing import Any

import numpy as np

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import Pixels8
from relight_assets.stages.base import StageInputs, StageOutput, StageSpec, variant_name
from relight_assets.stages.metric import Metric, number

METRICS = (Metric("brightness", number(0, 255), "Mean of all channels", "levels", required=True),)


def _reads(recipe: Recipe) -> tuple[str, ...]:
    return tuple(variant_name("output", variant, recipe.variant_count) for variant in range(recipe.variant_count))


def _recipe_part(recipe: Recipe) -> dict[str, Any]:
    return {"gray_color": list(recipe.background.gray_color)}


def _make(inputs: StageInputs) -> StageOutput:
    variants = inputs.recipe.variant_count
    files: dict[str, Pixels8 | bytes] = {
        variant_name("negative", variant, variants): np.subtract(
            255, inputs.read(variant_name("output", variant, variants)), dtype=np.uint8
        )
        for variant in range(variants)
    }
    first = files[variant_name("negative", 0, variants)]
    return StageOutput(files, {"brightness": round(float(np.mean(first)), 2)})


STAGE = StageSpec(
    name="negatives",
    code_version="1",
    artifacts=("negative",),
    may_read=("output",),
    reads=_reads,
    recipe_part=_recipe_part,
    make=_make,
    metrics=lambda: METRICS,
    description="The composite with its colours turned round. Per image: `NNNNN_negative.png` (RGB).",
    keyed_by_source=False,
    per_light=True,
)
