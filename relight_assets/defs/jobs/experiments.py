"""Another recipe for a split, tried in a folder of its own and laid beside the split's own images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.config.loader import parse_quality, parse_recipe
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.index import load
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.records import known_record
from relight_assets.defs.jobs.recipe_config import overridden, quality_overrides, recipe_overrides
from relight_assets.defs.metadata.previews import inline
from relight_assets.defs.metadata.run_metadata import (
    OUTCOMES,
    RunRecords,
    counts,
    numbers,
    provenance,
    row_numbers,
    sheets_and_charts,
    totals,
)
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import publish
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.defs.runs.run_images import REPLACE, run_images, warnings_of
from relight_assets.engine.run import COMPARISON, RunOptions, RunSummary
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets.reports.contact_sheets import FILE_CELL, INLINE_CELL, comparison_sheet
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names, stage_names

STAGE_TABLE = "stages"

_CONFIG = {
    "experiment": dg.Field(str, description="Its name; it goes to experiments/<name>/data-<split> of output_root."),
    "recipe": recipe_overrides(),
    "quality": quality_overrides(),
    "stages": dg.Field(
        [dg.Enum("RelightStage", [dg.EnumValue(stage) for stage in all_stage_names()])],
        default_value=list(all_stage_names()),
        description="What may be computed. Where both recipes agree, the artifacts of the split's folder are reused.",
    ),
    "num_samples": dg.Field(int, default_value=0, description="Only the first so many rows; 0 = all rows."),
    "num_gpus": dg.Field(int, default_value=0, description="So many GPUs; 0 = as config/platform.yaml says."),
    "retry_failed": dg.Field(bool, default_value=False, description="Retry failed images even if nothing changed."),
    "overwrite": dg.Field(
        bool, default_value=False, description="Allow a folder with numbered files that relight did not write."
    ),
    "replace": dg.Field(bool, default_value=False, description=REPLACE),
}


def experiments_asset(names: Names = OWN) -> dg.AssetSpec:
    """The asset `experiments`: Dagster shows it, and the job `experiment` makes its partitions."""
    return dg.AssetSpec(
        names.experiments,
        group_name=names.of("relight"),
        kinds={"python"},
        partitions_def=names.experiment_partitions,
        description=(
            "Splits by other recipes, each as a named experiment in a folder of its own: images, mapping CSV, and a "
            "comparison with the split's own images. A partition is one experiment with one split. The job "
            f"`{names.of('experiment')}` and `relight run --experiment` make them; it cannot be materialized by hand."
        ),
    )


def experiment_job(names: Names = OWN) -> dg.JobDefinition:
    """The job `experiment`."""

    @dg.op(
        name=names.of("relight_experiment"),
        config_schema=_CONFIG,
        out=dg.Out(dg.Nothing),
        pool=names.pool,
        required_resource_keys={names.run_inputs},
        description=(
            "Runs a split with another recipe into experiments/<name>/, with its mapping and failures CSV, and lays "
            "both recipes' images side by side. The split's own folder is only read."
        ),
    )
    def relight_experiment(context: dg.OpExecutionContext) -> None:
        _run_experiment(context, inputs_of(context, names), names)

    @dg.job(
        name=names.of("experiment"),
        partitions_def=names.splits,
        description=(
            "Light one split by another recipe, as a named experiment in a folder of its own, and compare it with the "
            "split's own images. Unchanged masks and albedo are reused. To adopt the recipe, change "
            "config/mvp_config.yaml."
        ),
    )
    def experiment() -> None:
        relight_experiment()

    return experiment


def _run_experiment(context: dg.OpExecutionContext, run_inputs: RunInputs, names: Names) -> None:
    """Run one experiment on one split."""
    config: dict[str, Any] = context.op_config
    name: str = config["experiment"]
    with as_dagster_failure():
        _check_numbers(config)
        project = run_inputs.project(config["num_gpus"])
        settings, loaded = project.settings, _recipe(config, project)
        stages = [stage for stage in stage_names(loaded.recipe) if stage in config["stages"]]
        options = RunOptions(
            stages=stages,
            num_samples=config["num_samples"] or None,
            retry_failed=config["retry_failed"],
            overwrite=config["overwrite"],
            replace_photos=config["replace"],
            experiment=name,
            quality=loaded.quality,
        )
        split = run_inputs.split(context.partition_key)
        summary = run_images(context, split, loaded, settings, options)
        published = publish(split, loaded, settings, name, failures=True, known=summary.state)
        run_inputs.states[split.split] = published.state
        for failed in published.failed:
            context.log.warning(f"{split.split}: the check {failed} failed; the mapping stays without what is new")
    warn, run_id, records = warnings_of(context, summary), context.run.run_id, RunRecords.of(summary)
    sheets = {
        **warn.part("the comparison", lambda: _comparison(summary, settings, context.instance, run_id)),
        **sheets_and_charts(
            summary,
            records,
            loaded.recipe,
            settings.quality_of(loaded),
            warn,
            instance=context.instance,
            run_id=run_id,
        ),
    }
    context.instance.add_dynamic_partitions(names.of("experiments"), [name])
    context.log_event(
        dg.AssetMaterialization(
            names.experiments,
            partition=names.experiment(name, split.split),
            description=f"{split.split} with another recipe",
            metadata={
                **sheets,
                "mapping_csv": dg.MetadataValue.path(str(published.staged.target)),
                "recipe": dg.MetadataValue.path(str(summary.state.layout.recipe)),
                "recipe_overrides": dg.MetadataValue.json(config["recipe"]),
                STAGE_TABLE: _table(summary, stages),
                **warn.part("the numbers", lambda: _numbers(summary, records)),
                **row_numbers(summary),
                **warn.part("the totals of the run", lambda: totals(summary, records, warn)),
                **warn.part("the provenance", lambda: provenance(stage_names(loaded.recipe), loaded.recipe, settings)),
                **warn.metadata,
            },
        )
    )


def _check_numbers(config: dict[str, Any]) -> None:
    for name in ("num_samples", "num_gpus"):
        if config[name] < 0:
            raise ConfigError(f"run config: `{name}`: found {config[name]}; must be 0 or more")
    if not config["stages"]:
        raise ConfigError("run config: `stages`: found []; must name at least one stage")


def _recipe(config: dict[str, Any], project: ProjectContext) -> LoadedRecipe:
    loaded = parse_recipe(overridden(project.recipe, config["recipe"]), "run config", project.recipe_file.parent)
    check_feasible(loaded.recipe)
    return replace(loaded, quality=project.loaded.quality.with_given(parse_quality(config["quality"], "run config")))


def _comparison(summary: RunSummary, settings: Settings, instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    state = summary.state
    own = SplitLayout(split_folder(settings.output_root, state.split.split))
    own_numbers = load(own)
    pairs = [
        (own_numbers[image.key], image.index)
        for image in state.images.values()
        if image.status == "done"
        and image.index is not None
        and _are_of_one_photo((own, own_numbers.get(image.key)), (state.layout, image.index))
    ]
    small, large = (comparison_sheet(own, state.layout, pairs, cell) for cell in (INLINE_CELL, FILE_CELL))
    if small is None or large is None:
        return {}
    path = state.layout.folder / COMPARISON
    state.layout.storage.put(path, large)
    shown = inline(small, "jpg", instance, run_id, f"{state.split.split}-comparison")
    return {"comparison": shown, "comparison_file": dg.MetadataValue.path(str(path))}


def _are_of_one_photo(*places: tuple[SplitLayout, int | None]) -> bool:
    """Whether what lies in two folders, under the number given with each, was made of one photo."""
    one, other = (known_record(layout, number) if number is not None else None for layout, number in places)
    return one is not None and other is not None and one.source.sha256 == other.source.sha256


def _numbers(summary: RunSummary, records: RunRecords) -> dict[str, Any]:
    return {key: value for stage in summary.state.stages for key, value in numbers(records, stage).items()}


def _table(summary: RunSummary, stages: Sequence[Stage]) -> dg.TableMetadataValue:
    """What was done, stage by stage."""
    records = [
        dg.TableRecord({"stage": stage, **{name: counts(summary, stage)[name] for name in ("images", *OUTCOMES)}})
        for stage in stages
    ]
    return dg.MetadataValue.table(records)
