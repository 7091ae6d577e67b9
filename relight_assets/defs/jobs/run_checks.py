"""The job `run_checks`: the checks of a split, evaluated without materializing anything."""

from functools import cache

import dagster as dg
from pydantic import Field

from relight_assets.defs.assets.mapping import spreads_before
from relight_assets.defs.checks.checked_split import SplitRecords
from relight_assets.defs.checks.mapping_checks import check_split
from relight_assets.defs.checks.results import evaluation_of
from relight_assets.defs.checks.specs import CHECKS
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import locked_state
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.engine.publish import published_mapping
from relight_assets.errors import UserError


class ChecksConfig(dg.Config):
    """Which checks are evaluated."""

    checks: list[str] = Field(default=[], description=f"Of {', '.join(CHECKS)}; empty: all of them.")


def run_checks_job(names: Names = OWN) -> dg.JobDefinition:
    """The job `run_checks`."""

    @dg.op(
        name=names.of("evaluate_checks"),
        out=dg.Out(dg.Nothing),
        required_resource_keys={names.run_inputs},
        description=(
            "Evaluates the checks of one split on its published mapping CSV, its files and its records. Nothing is "
            "materialized or written. Fails if a blocking check fails."
        ),
    )
    def evaluate_checks(context: dg.OpExecutionContext, config: ChecksConfig) -> None:
        _evaluate(context, config, inputs_of(context, names), names)

    @dg.job(
        name=names.of("run_checks"),
        partitions_def=names.splits,
        description="Evaluate the checks of one split, all or those of the config `checks`. Materializes nothing.",
    )
    def run_checks() -> None:
        evaluate_checks()

    return run_checks


def _evaluate(context: dg.OpExecutionContext, config: ChecksConfig, run_inputs: RunInputs, names: Names) -> None:
    """Evaluate checks of one split."""
    with as_dagster_failure():
        checks = selected_checks(config.checks)
        project, split = run_inputs.project(), run_inputs.split(context.partition_key)
        warn = Warnings(context.log)
        before = spreads_before(context.instance, split.split, warn, names)
        with locked_state(split, project.recipe, project.settings) as state:
            results = check_split(
                published_mapping(state, project.settings),
                project.loaded,
                project.settings,
                before,
                warn=warn,
                records=cache(SplitRecords.of),
                names=checks,
            )
    for result in results:
        context.log_event(evaluation_of(result, split.split, names))  # type: ignore[arg-type]  # it takes them; its types lag
    severe = dg.AssetCheckSeverity.ERROR
    failed = [
        f"`{each.check_name}`: {each.description}" for each in results if not each.passed and each.severity is severe
    ]
    if failed:
        raise dg.Failure(description=f"{split.split}: {' '.join(failed)}", allow_retries=False)


def selected_checks(names: list[str]) -> list[str]:
    """The names of checks, all of which there are.

    Raises:
        UserError: there is no such check.
    """
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise UserError(f"no check `{unknown[0]}`; the checks are {', '.join(CHECKS)}")
    return names
