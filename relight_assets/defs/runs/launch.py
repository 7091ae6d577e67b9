"""Materializing from the command line, through the same definitions and instance that the UI shows."""

import logging
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import dagster as dg

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.core.best_effort import WARNINGS
from relight_assets.defs.jobs.experiments import STAGE_TABLE
from relight_assets.defs.jobs.run_checks import selected_checks
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.run_errors import failure_of, raised_by
from relight_assets.defs.runs.run_locks import COMMAND, LAUNCHED_BY, holding
from relight_assets.errors import RelightError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names

CSV_ASSETS = ("mapping_csv", "dead_letters")


@dataclass(frozen=True)
class Launched:
    """A run that ended well: the metadata of each stage that it brought up to date, and of the CSVs."""

    metadata: dict[str, dict[str, Any]]


def materialize(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    split: str,
    stages: Collection[Stage],
    image_config: dict[str, Any],
) -> Launched:
    """Materialize one split's assets in this process, as a run that the UI lists.

    Raises:
        UserError: the run could not do its work because of somebody's mistake.
        LaunchError: the run failed otherwise.
    """
    found = _run(
        definitions.resolve_implicit_global_asset_job_def(),
        instance,
        split=split,
        ops={"relight_images": {"config": image_config}},
        asset_selection=[dg.AssetKey(name) for name in (*(s for s in all_stage_names() if s in stages), *CSV_ASSETS)],
    )
    return Launched({name: found[name] for name in (*all_stage_names(), *CSV_ASSETS) if name in found})


def try_recipe(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    split: str,
    stages: Collection[Stage],
    image_config: dict[str, Any],
    experiment: str,
    loaded: LoadedRecipe,
) -> Launched:
    """Run the job `experiment` on one split in this process, as a run that the UI lists.

    Raises:
        UserError: the run could not do its work because of somebody's mistake.
        LaunchError: the run failed otherwise.
    """
    config = {
        **image_config,
        "experiment": experiment,
        "recipe": loaded.recipe.model_dump(mode="json"),
        "quality": loaded.quality.model_dump(mode="json", exclude_unset=True),
        "stages": [stage for stage in all_stage_names() if stage in stages],
    }
    job = definitions.resolve_job_def("experiment")
    found = _run(job, instance, split=split, ops={"relight_experiment": {"config": config}}, asset_selection=None)
    metadata = found[OWN.experiments.to_user_string()]
    counts = {record.data["stage"]: record.data for record in metadata[STAGE_TABLE].records}
    return Launched({stage: metadata | counts[stage] for stage in all_stage_names() if stage in counts})


@dataclass(frozen=True)
class CheckOutcome:
    """What came of one check of a split."""

    name: str
    passed: bool
    blocking: bool
    text: str
    """What was found and what is wanted, in one sentence."""


def check(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *, split: str, names: Collection[str]
) -> list[CheckOutcome]:
    """Run the job `run_checks` on one split in this process, as a run that the UI lists; ``names`` empty: all checks.

    Raises:
        UserError: the run could not do its work because of somebody's mistake.
        LaunchError: the run failed otherwise.
    """
    selected_checks(list(names))
    job = definitions.resolve_job_def("run_checks")
    ops = {"evaluate_checks": {"config": {"checks": list(names)}}}
    result = _executed(job, instance, split=split, ops=ops, asset_selection=None)
    blocking = dg.AssetCheckSeverity.ERROR
    evaluated = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    evaluations = [
        entry.get_dagster_event().asset_check_evaluation_data for entry in instance.all_logs(result.run_id, evaluated)
    ]
    outcomes = [
        CheckOutcome(each.check_name, each.passed, each.severity is blocking, each.description or "")
        for each in evaluations
    ]
    if not result.success and all(each.passed or not each.blocking for each in outcomes):
        raise failure_of(result, instance, split)
    return outcomes


def _run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    split: str,
    ops: dict[str, Any],
    asset_selection: list[dg.AssetKey] | None,
) -> dict[str, dict[str, Any]]:
    """Run a job on one split in this process; the metadata of each asset that it materialized."""
    result = _executed(job, instance, split=split, ops=ops, asset_selection=asset_selection)
    if not result.success:
        raise failure_of(result, instance, split)
    found: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        found[materialization.asset_key.to_user_string()] = {
            name: value.value if not isinstance(value, dg.TableMetadataValue) else value
            for name, value in materialization.metadata.items()
        }
    for each in result.get_asset_check_evaluations():
        if not each.passed:
            of_asset = found.setdefault(each.asset_key.to_user_string(), {})
            sentence = f"the check `{each.check_name}` warns: {each.description}"
            of_asset[WARNINGS] = [*of_asset.get(WARNINGS, ()), sentence]
    return found


def _executed(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    split: str,
    ops: dict[str, Any],
    asset_selection: list[dg.AssetKey] | None,
) -> dg.ExecuteInProcessResult:
    run_id = str(uuid.uuid4())
    # Ctrl-C can strike inside a call of the database, whose pool would then log a traceback of its own.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        with holding(instance, run_id):
            return job.execute_in_process(
                run_id=run_id,
                partition_key=split,
                instance=instance,
                asset_selection=asset_selection,
                run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags={LAUNCHED_BY: COMMAND},
                raise_on_error=False,
            )
    except RelightError:
        raise
    except Exception as error:
        raise raised_by(instance, run_id, error) from error
