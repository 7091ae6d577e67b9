"""The recipe of each stage as an observed source asset, so that an edit makes stale what was made before it."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from relight_assets.defs.observations import recipe_key, recipe_version
from relight_assets.defs.resources import RunInputs, as_dagster_failure
from relight_assets.stages.base import Stage


def recipe_sources(stages: Sequence[Stage]) -> list[dg.AssetsDefinition | dg.SourceAsset]:
    """One for each of these stages, upstream of its asset."""
    return [_source(stage) for stage in stages]


def _source(stage: Stage) -> Any:
    def observe(run_inputs: dg.ResourceParam[RunInputs]) -> dg.DataVersion:
        with as_dagster_failure():
            project = run_inputs.project()
            return dg.DataVersion(recipe_version(stage, project.recipe, project.settings))

    return dg.observable_source_asset(
        key=recipe_key(stage),
        group_name="relight",
        description=(
            f"What of the recipe decides the pixels of `{stage}`, and the sha256 of its models. Its data version "
            f"changes when one of them does: then `{stage}` is stale in all partitions that were made before."
        ),
    )(observe)
