"""Materializing from the command line, through the same definitions and instance that the UI shows."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from relight_assets.defs.splits import register_splits
from relight_assets.errors import ConfigError, RelightError, UserError
from relight_assets.recipe import STAGES, Stage
from relight_assets.settings import Settings, project_folder

OUTGOING = ("mapping_csv", "dead_letters")


class LaunchError(RelightError):
    """A run did not end well for a reason that is not one of ours."""

    code = "run_failed"


@dataclass(frozen=True)
class Launched:
    """A run that ended well: its id and the metadata of each asset it materialized."""

    run_id: str
    metadata: dict[str, dict[str, Any]]


def prepare_home(settings: Settings, environ: "os._Environ[str]" = os.environ) -> Path:
    """Make sure that there is a Dagster home with our instance settings, and point DAGSTER_HOME to it.

    A DAGSTER_HOME that is set already is used as it is.

    Raises:
        ConfigError: the home cannot be made.
    """
    if environ.get("DAGSTER_HOME"):
        return Path(environ["DAGSTER_HOME"])
    home = settings.dagster_home
    template = project_folder() / "config" / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            shutil.copyfile(template, home / "dagster.yaml")
    except OSError as error:
        raise ConfigError(f"dagster_home {home} cannot be prepared from {template}: {error}") from None
    environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The project's Dagster instance, with a partition for every CSV there is."""
    prepare_home(settings)
    with dg.DagsterInstance.get() as instance:
        register_splits(instance, settings)
        yield instance


def materialize(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    split: str,
    stages: Collection[Stage],
    image_config: dict[str, Any],
    recipe_config: dict[str, Any],
) -> Launched:
    """Materialize one split's assets in this process, as a run that the UI lists.

    Raises:
        UserError: the run could not do its work because of somebody's mistake.
        LaunchError: the run failed otherwise.
    """
    ops: dict[str, Any] = {name: {"config": recipe_config} for name in OUTGOING}
    ops["relight_images"] = {"config": {**recipe_config, **image_config}}
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        partition_key=split,
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in (*(s for s in STAGES if s in stages), *OUTGOING)],
        run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={"relight/launched_by": "relight run"},
        raise_on_error=False,
    )
    if not result.success:
        raise _failure(result)
    found: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        found[materialization.asset_key.to_user_string()] = {
            name: value.value for name, value in materialization.metadata.items()
        }
    return Launched(result.run_id, found)


def _failure(result: dg.ExecuteInProcessResult) -> RelightError:
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        told = data.user_failure_data
        if told is not None and told.description:
            user_error = told.metadata.get("user_error")
            kind = UserError if user_error is not None and user_error.value else LaunchError
            return kind(told.description)
        if data.error is not None:
            return LaunchError(f"run {result.run_id}, step {event.step_key}: {data.error.message.strip()}")
    return LaunchError(f"run {result.run_id} did not succeed; `relight dev` shows its events")
