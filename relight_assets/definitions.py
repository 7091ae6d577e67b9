"""The one Dagster entry: everything in ``defs``, and what is common to all of it."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import dagster as dg

from relight_assets import defs as folder
from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
from relight_assets.config.variables import drop_unknown_variables
from relight_assets.core.best_effort import best_effort
from relight_assets.defs.assets.exports import export_assets
from relight_assets.defs.assets.images import images_asset
from relight_assets.defs.assets.mapping import csv_assets
from relight_assets.defs.assets.published import published_assets
from relight_assets.defs.assets.recipes import recipe_sources
from relight_assets.defs.automation import alerts, new_csvs, sweep
from relight_assets.defs.automation.abandoned_runs import abandoned_runs
from relight_assets.defs.dagster_internals import print_only_warnings
from relight_assets.defs.jobs import experiments, jobs, run_checks
from relight_assets.defs.resources import RUN_INPUTS, run_inputs
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ConfigError
from relight_assets.quality.feasibility import check_feasible
from relight_assets.stages.registry import stage_names

_LOG = logging.getLogger(__name__)


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, of the project that the working directory and the environment name.

    A settings file or recipe that cannot be used fails here, at start-up, not in a run.
    """
    if sys.getfilesystemencoding() != "utf-8":  # `relight` sees to that itself, plain `dagster` does not
        raise ConfigError(
            f"names of files are taken as {sys.getfilesystemencoding()} here, and CSVs give them in UTF-8: set "
            "PYTHONUTF8=1 and start again"
        )
    for notice in drop_unknown_variables(os.environ):
        _LOG.warning(notice)
    print_only_warnings()
    return build_definitions(ProjectSource(os.environ))


def build_definitions(
    source: ProjectSource, project: ProjectContext | None = None, states: dict[str, SplitState] | None = None
) -> dg.Definitions:
    """All assets of a project.

    The op starts the worker processes itself.  Under the multiprocess executor it would sit in a process of
    its own that outlives a killed run, workers and all; in the run's own process nothing is left behind.

    Args:
        source: what sensors and schedules read at every tick.
        project: what the runs work with; None: what each of them reads from ``source`` when it starts.
        states: where the splits stand after runs in this process, by their names; None: nobody asks.

    Raises:
        ConfigError: settings or recipe cannot be used.
    """
    present = project or source.context()
    check_feasible(present.recipe)
    settings, stages = present.settings, stage_names(present.recipe)
    return dg.Definitions(
        assets=_with_code_references(
            [
                *dg.load_assets_from_package_module(folder, group_name="relight"),
                *recipe_sources(stages),
                images_asset(stages),
                *csv_assets(stages),
                *export_assets(settings),
                *published_assets(settings),
            ]
        ),
        executor=dg.in_process_executor,
        resources={RUN_INPUTS: run_inputs((lambda: project) if project is not None else source.context, states)},
        jobs=[
            jobs.relight_split,
            jobs.masks_only,
            experiments.experiment,
            jobs.retry_dead_letters,
            jobs.rebuild_mapping,
            jobs.verify,
            run_checks.run_checks,
        ],
        sensors=[
            new_csvs.sensor_of(source, settings),
            abandoned_runs,
            *alerts.sensors_of(source, settings),
        ],
        schedules=[sweep.schedule_of(source, settings)],
    )


def _with_code_references(assets: Sequence[Any]) -> Sequence[Any]:
    """Assets with references, by which the UI links each to the lines that define it."""
    with best_effort("the links to the code", _LOG.warning):
        return dg.with_source_code_references(assets)
    return assets
