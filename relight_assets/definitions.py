"""The one Dagster entry: everything in ``defs``, and what is common to all of it."""

import logging
import os
import sys

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
from relight_assets.config.variables import drop_unknown_variables
from relight_assets.defs.dagster_internals import print_only_warnings
from relight_assets.defs.names import OWN
from relight_assets.defs.project.named_definitions import named_definitions
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ConfigError

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
