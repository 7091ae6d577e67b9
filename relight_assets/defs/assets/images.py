"""The image assets: one op, each of its outputs selectable alone."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from relight_assets.config.context import ProjectContext
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.best_effort import best_effort
from relight_assets.defs.metadata.run_metadata import (
    RunRecords,
    counts,
    data_version,
    numbers,
    provenance,
    row_numbers,
    sheets_and_charts,
    stage_sheets,
    totals,
)
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.defs.runs.run_images import REPLACE, run_images, warnings_of
from relight_assets.engine.run import RunOptions, RunSummary
from relight_assets.errors import ConfigError
from relight_assets.models.registry import kinds_of
from relight_assets.stages.base import Stage, StageSpec
from relight_assets.stages.registry import all_stage_names, stage_names, stage_of, stage_spec


class RelightConfig(dg.Config):
    """What one run is asked to do."""

    num_samples: int = Field(default=0, ge=0, description="Only the first so many rows; 0 = all rows.")
    num_gpus: int = Field(default=0, ge=0, description="So many GPUs; 0 = as config/platform.yaml says.")
    retry_failed: bool = Field(default=False, description="Retry failed images even if nothing changed.")
    overwrite: bool = Field(default=False, description="Allow a folder with numbered files that relight did not write.")
    replace: bool = Field(default=False, description=REPLACE)


def images_asset(recipe: Recipe, names: Names = OWN) -> dg.AssetsDefinition:
    """The op whose outputs are the assets of the recipe's stages, each selectable alone."""
    stages = stage_names(recipe)

    @dg.multi_asset(
        name=names.of("relight_images"),
        specs=[_asset_spec(stage_spec(stage), recipe, names) for stage in stages],
        can_subset=True,
        partitions_def=names.splits,
        pool=names.pool,
        required_resource_keys={names.run_inputs},
    )
    def relight_images(context: dg.AssetExecutionContext, config: RelightConfig) -> Iterator[dg.MaterializeResult[Any]]:
        yield from _relight_images(context, config, inputs_of(context, names), stages, names)

    return relight_images


def _asset_spec(spec: StageSpec, recipe: Recipe, names: Names) -> dg.AssetSpec:
    upstream = dict.fromkeys(stage_of(artifact) for artifact in spec.may_read)
    return dg.AssetSpec(
        names.key(spec.name),
        deps=[names.recipe(spec.name), *([names.split_csv] if spec.reads_photo else map(names.key, upstream))],
        description=spec.description,
        kinds={*spec.kinds, *kinds_of(spec.models(recipe))},
        code_version=spec.code_version,
        group_name=names.of("relight"),
    )


def _relight_images(
    context: dg.AssetExecutionContext,
    config: RelightConfig,
    run_inputs: RunInputs,
    defined: Sequence[Stage],
    names: Names,
) -> Iterator[dg.MaterializeResult[Any]]:
    """Bring the selected assets of one split up to date, in worker processes.

    Every selected asset is yielded after all the work, or none is: a key that were left out would count as
    a success, and what is downstream would go on.
    """
    with as_dagster_failure():
        project = run_inputs.project(config.num_gpus)
        settings, loaded = project.settings, project.loaded
        _require_assets(loaded.recipe, defined)
        wanted = [stage for stage in all_stage_names() if names.key(stage) in context.selected_asset_keys]
        summary = _run(context, config, project, run_inputs, wanted)
    warn = warnings_of(context, summary)
    quality = settings.quality_of(loaded)
    records = RunRecords.of(summary)
    sheets = sheets_and_charts(
        summary, records, loaded.recipe, quality, warn, instance=context.instance, run_id=context.run.run_id
    )
    shared = warn.part("the totals of the run", lambda: totals(summary, records, warn))
    for stage in wanted:
        version = _data_version(records, stage, warn)  # first: it may have something to warn of
        yield dg.MaterializeResult(
            asset_key=names.key(stage),
            # The UI keeps this order; what one looks for first stands first.
            metadata={
                **counts(summary, stage),
                **row_numbers(summary),
                **stage_sheets(summary, stage, sheets, warn, instance=context.instance, run_id=context.run.run_id),
                **warn.part(f"the numbers of `{stage}`", partial(numbers, records, stage)),
                **shared,
                **warn.part(f"the provenance of `{stage}`", partial(provenance, [stage], loaded.recipe, settings)),
                **warn.metadata,
            },
            data_version=version,
        )


def _require_assets(recipe: Recipe, defined: Sequence[Stage]) -> None:
    """See that the definitions have an asset for every stage that the recipe asks for.

    Raises:
        ConfigError: the recipe was changed after they were loaded; the rows would all stay pending.
    """
    missing = [stage for stage in stage_names(recipe) if stage not in defined]
    if missing:
        raise ConfigError(
            f"the recipe now asks for {', '.join(missing)}, and Dagster does not know that asset yet: reload the "
            "definitions (Deployment, Reload) and run again"
        )


def _data_version(records: RunRecords, stage: Stage, warn: Warnings) -> dg.DataVersion | None:
    with best_effort(f"the data version of `{stage}`", warn):
        return dg.DataVersion(data_version(records, stage))
    return None  # Dagster gives it one


def _run(
    context: dg.AssetExecutionContext,
    config: RelightConfig,
    project: ProjectContext,
    run_inputs: RunInputs,
    wanted: list[Stage],
) -> RunSummary:
    split = run_inputs.split(context.partition_key)
    options = RunOptions(
        stages=wanted,
        num_samples=config.num_samples or None,
        retry_failed=config.retry_failed,
        overwrite=config.overwrite,
        replace_photos=config.replace,
    )
    summary = run_images(context, split, project.loaded, project.settings, options)
    run_inputs.states[split.split] = summary.state
    return summary
