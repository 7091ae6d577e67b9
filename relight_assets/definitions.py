"""The one Dagster entry: everything in ``defs``, and what is common to all of it."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
from relight_assets.config.variables import drop_unknown_variables
from relight_assets.core.best_effort import best_effort
from relight_assets.defs.assets.exports import export_assets
from relight_assets.defs.assets.gallery import gallery_asset
from relight_assets.defs.assets.images import images_asset
from relight_assets.defs.assets.mapping import failures_asset, mapping_asset
from relight_assets.defs.assets.published import published_assets
from relight_assets.defs.assets.recipes import recipe_sources
from relight_assets.defs.assets.samples import samples_asset
from relight_assets.defs.assets.splits import split_csv_source
from relight_assets.defs.automation import alerts, new_csvs, sweep
from relight_assets.defs.automation.abandoned_runs import abandoned_runs_sensor
from relight_assets.defs.dagster_internals import print_only_warnings
from relight_assets.defs.jobs.experiments import experiments_asset
from relight_assets.defs.jobs.jobs import jobs_of
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.resources import run_inputs
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
    """All assets of a project that has the instance to itself, run in the process of each run.

    The op starts the worker processes itself: with no process in between, nothing is left behind when a run is killed.

    Args:
        source: what sensors and schedules read at every tick.
        project: what the runs work with; None: what each of them reads from ``source`` when it starts.
        states: where the splits stand after runs in this process, by their names; None: nobody asks.

    Raises:
        ConfigError: settings or recipe cannot be used.
    """
    named = named_definitions(source, OWN, project, states)
    return dg.Definitions.merge(named, dg.Definitions(executor=dg.in_process_executor))


def named_definitions(
    source: ProjectSource,
    names: Names,
    project: ProjectContext | None = None,
    states: dict[str, SplitState] | None = None,
) -> dg.Definitions:
    """All assets of a project under ``names``, without an executor; see :func:`build_definitions`."""
    present = project or source.context()
    check_feasible(present.recipe)
    settings, stages = present.settings, stage_names(present.recipe)
    read_project = (lambda: project) if project is not None else source.context
    return dg.Definitions(
        assets=_with_code_references(
            [
                split_csv_source(names),
                *recipe_sources(stages, names),
                images_asset(present.recipe, names),
                mapping_asset(stages, names),
                failures_asset(stages, names),
                samples_asset(names),
                gallery_asset(names),
                *export_assets(settings, names),
                *published_assets(settings, names),
                experiments_asset(names),
            ]
        ),
        resources={names.run_inputs: run_inputs(read_project, states, names)},
        jobs=jobs_of(names),
        sensors=[
            new_csvs.sensor_of(source, settings, names),
            abandoned_runs_sensor(names),
            *alerts.sensors_of(source, settings, names),
        ],
        schedules=[sweep.schedule_of(source, settings, names)],
    )


def _with_code_references(assets: Sequence[Any]) -> Sequence[Any]:
    """Assets with references, by which the UI links each to the lines that define it."""
    with best_effort("the links to the code", _LOG.warning):
        return dg.with_source_code_references(assets)
    return assets
