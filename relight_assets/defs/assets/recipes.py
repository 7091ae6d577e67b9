"""The recipe of each stage as an observed source asset, so that an edit makes stale what was made before it."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from relight_assets.defs.assets.observations import recipe_version
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.resources import as_dagster_failure, inputs_of
from relight_assets.stages.base import Stage


def recipe_sources(stages: Sequence[Stage], names: Names = OWN) -> list[dg.AssetsDefinition | dg.SourceAsset]:
    """One for each of these stages, upstream of its asset."""
    return [_source(stage, names) for stage in stages]


def _source(stage: Stage, names: Names) -> Any:
    def observe(context: dg.OpExecutionContext) -> dg.DataVersion:
        with as_dagster_failure():
            project = inputs_of(context, names).project()
            return dg.DataVersion(recipe_version(stage, project.recipe, project.settings))

    return dg.observable_source_asset(
        key=names.recipe(stage),
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        description=(
            f"What of the recipe decides the pixels of `{stage}`, and the sha256 of its models. Its data version "
            f"changes when one of them does: then `{stage}` is stale in all partitions that were made before."
        ),
    )(observe)
