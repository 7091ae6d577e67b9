"""The Dagster instance of a project: its home, its settings, and no run of a process that is gone."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml
from filelock import FileLock

from relight_assets.config.project_files import DAGSTER_YAML, project_file
from relight_assets.config.settings import Settings
from relight_assets.core.atomic_io import write_atomic
from relight_assets.defs.assets.splits import register_splits
from relight_assets.defs.automation.dead_runs import close_abandoned_runs, runs_left_alone
from relight_assets.defs.dagster_internals import create_pool, disable_output_capture, pool_limits
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.history import history_errors
from relight_assets.doctor.dagster_home import check_home
from relight_assets.errors import ConfigError


def prepare_home(settings: Settings, project: Path, environ: Mapping[str, str]) -> Path:
    """Make sure that there is a Dagster home with our instance settings; where it is.

    The instance settings are those of the ``project``, a folder.  A DAGSTER_HOME that is set is used as it is.

    Raises:
        ConfigError: the home cannot be made or written.
    """
    given = environ.get("DAGSTER_HOME")
    home = check_home(settings, environ)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not given and not (home / "dagster.yaml").exists():
            write_atomic(home / "dagster.yaml", _instance_template(project))
        (home / ".relight.lock").touch()
    except OSError as error:
        message = f"{'DAGSTER_HOME' if given else 'dagster_home'} {home} cannot be prepared: {error.strerror}"
        raise ConfigError(f"{message} ({error.filename})" if error.filename else message) from None
    return home


def _instance_template(project: Path) -> bytes:
    """The project's ``config/dagster.yaml``, or the one that this package comes with."""
    own = project / DAGSTER_YAML
    return own.read_bytes() if own.is_file() else project_file(DAGSTER_YAML)


@contextmanager
def instance_of(
    settings: Settings, project: Path, report: Callable[[str], None] = lambda _: None
) -> Iterator[dg.DagsterInstance]:
    """:func:`opened_instance`, with a partition for every CSV."""
    with opened_instance(settings, project, report) as instance:
        register_splits(instance, settings)
        yield instance


@contextmanager
def opened_instance(
    settings: Settings, project: Path, report: Callable[[str], None] = lambda _: None
) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a project, by its folder, with no run of a process that is gone.

    ``report`` is given a sentence about each run that was closed, and about each of which a person must know whether it
    lives.

    Raises:
        ConfigError: there can be no DAGSTER_HOME.
        HistoryError: a database of it cannot be used, then or until the caller is done.
    """
    home = prepare_home(settings, project, os.environ)
    with history_errors(home):
        with FileLock(home / ".relight.lock"):  # two first starts at once would make the same tables
            instance = _instance(home)
            disable_output_capture(instance)
            if OWN.pool not in pool_limits(instance):  # somebody's own limit stays
                create_pool(instance, OWN.pool)
            for run_id in close_abandoned_runs(instance):
                report(f"the process of run {run_id} is gone; the run is marked as failed")
            for state in runs_left_alone(instance):
                report(str(state))
        with instance:
            yield instance


def _instance(home: Path) -> dg.DagsterInstance:
    try:
        return dg.DagsterInstance.from_config(str(home))
    except dg.DagsterInvalidConfigError as error:
        raise ConfigError(f"{home / 'dagster.yaml'} is not one that Dagster takes: {error.errors[0].message}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{home / 'dagster.yaml'} is not YAML: {' '.join(str(error).split())}") from None
