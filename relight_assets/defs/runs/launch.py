"""Materializing from the command line, through the same definitions and instance that the UI shows."""

import logging
import os
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from filelock import FileLock

from relight_assets.config.project_files import DAGSTER_YAML, project_file
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.atomic_io import write_atomic
from relight_assets.defs.assets.splits import register_splits
from relight_assets.defs.automation.dead_runs import close_abandoned_runs, pool_holders, runs_left_alone
from relight_assets.defs.dagster_internals import create_pool, disable_output_capture, pool_limits
from relight_assets.defs.jobs.experiments import STAGE_TABLE, experiment_key
from relight_assets.defs.runs.history import history_errors
from relight_assets.defs.runs.run_errors import failure_of, raised_by
from relight_assets.defs.runs.run_images import POOL
from relight_assets.defs.runs.run_locks import COMMAND, LAUNCHED_BY, Life, holding
from relight_assets.doctor.dagster_home import check_home
from relight_assets.errors import ConfigError, RelightError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names

CSV_ASSETS = ("mapping_csv", "dead_letters")


@dataclass(frozen=True)
class Launched:
    """A run that ended well: the metadata of each stage that it brought up to date, and of the CSVs."""

    metadata: dict[str, dict[str, Any]]


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
            if POOL not in pool_limits(instance):  # somebody's own limit stays
                create_pool(instance, POOL)
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


def wait_for_pool(instance: dg.DagsterInstance, report: Callable[[str], None]) -> None:
    """Wait until the pool of the image op has a free slot; ``report`` is given what it waits for, once.

    Dagster would wait by itself, but in a run that counts as started, at the cost of a whole core, and where the limit
    is 0 without a word.
    """
    reported = None
    while (found := _waits_for(instance)) is not None:
        what, sentence = found
        if what != reported:
            report(sentence)
            reported = what
        time.sleep(2)
        close_abandoned_runs(instance)


def _waits_for(instance: dg.DagsterInstance) -> tuple[object, str] | None:
    """What keeps a run from a slot, as a key by which one knows it again and as a sentence; None where nothing does."""
    limits = pool_limits(instance)
    if POOL not in limits:
        return None  # somebody's own instance, which limits nothing
    if limits[POOL] == 0:
        return 0, (
            f"the pool `{POOL}` has limit 0, so that no run gets the devices: set it in the UI (`relight dev`) under "
            "Deployment > Concurrency. Waiting; Ctrl-C stops"
        )
    holders = pool_holders(instance)
    if len(holders) < limits[POOL]:
        return None
    advice = (
        ". If it hangs, end it with Ctrl-C where it was started, or with Terminate in the UI, under Runs"
        if any(state.found.life is Life.AT_WORK for state in holders)
        else ""
    )
    return (
        [(state.run_id, state.found.life, state.status) for state in holders],
        "; ".join(f"waiting for {state.name}, which has the devices: {state.condition}" for state in holders) + advice,
    )


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
        asset_selection=[dg.AssetKey(name) for name in (*(s for s in stage_names() if s in stages), *CSV_ASSETS)],
    )
    return Launched({name: found[name] for name in (*stage_names(), *CSV_ASSETS) if name in found})


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
        "stages": [stage for stage in stage_names() if stage in stages],
    }
    job = definitions.resolve_job_def("experiment")
    found = _run(job, instance, split=split, ops={"relight_experiment": {"config": config}}, asset_selection=None)
    metadata = found[experiment_key(experiment).to_user_string()]
    counts = {record.data["stage"]: record.data for record in metadata[STAGE_TABLE].records}
    return Launched({stage: metadata | counts[stage] for stage in stage_names() if stage in counts})


def _run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    split: str,
    ops: dict[str, Any],
    asset_selection: list[dg.AssetKey] | None,
) -> dict[str, dict[str, Any]]:
    """Run a job on one split in this process; the metadata of each asset that it materialized."""
    run_id = str(uuid.uuid4())
    # Ctrl-C can strike inside a call of the database, whose pool would then log a traceback of its own.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    try:
        with holding(instance, run_id):
            result = job.execute_in_process(
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
    if not result.success:
        raise failure_of(result, instance, split)
    found: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        found[materialization.asset_key.to_user_string()] = {
            name: value.value if not isinstance(value, dg.TableMetadataValue) else value
            for name, value in materialization.metadata.items()
        }
    return found
