"""Everything that Dagster shows of a project, under the names of one project."""

import logging
from collections.abc import Sequence
from typing import Any

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
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
from relight_assets.defs.jobs.experiments import experiments_asset
from relight_assets.defs.jobs.jobs import jobs_of
from relight_assets.defs.names import Names
from relight_assets.defs.resources import run_inputs
from relight_assets.engine.state.scan import SplitState
from relight_assets.quality.feasibility import check_feasible
from relight_assets.stages.registry import stage_names

_LOG = logging.getLogger(__name__)


def named_definitions(
    source: ProjectSource,
    names: Names,
    project: ProjectContext | None = None,
    states: dict[str, SplitState] | None = None,
) -> dg.Definitions:
    """All assets, jobs, sensors and the schedule of a project under ``names``, without an executor.

    Args:
        source: what sensors and schedules read at every tick.
        names: of the project.
        project: what the runs work with; None: what each of them reads from ``source`` when it starts.
        states: where the splits stand after runs in this process, by their names; None: nobody asks.

    Raises:
        ConfigError: settings or recipe cannot be used.
    """
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
