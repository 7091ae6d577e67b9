"""Materializing from the command line, through the same definitions and instance that the UI shows."""

import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.compute_log_manager import CapturedLogContext
from filelock import FileLock

from relight_assets.defs.experiments import STAGE_TABLE, experiment_key
from relight_assets.defs.run_images import POOL
from relight_assets.defs.run_locks import COMMAND, LAUNCHED_BY, close_abandoned_runs, holding
from relight_assets.defs.splits import register_splits
from relight_assets.errors import ConfigError, InterruptedRunError, RelightError, UserError
from relight_assets.recipe import STAGES, Stage
from relight_assets.recipe_yaml import LoadedRecipe
from relight_assets.settings import Settings, project_folder

OUTGOING = ("mapping_csv", "dead_letters")


class LaunchError(RelightError):
    """A run did not end well for a reason that is not one of ours."""

    code = "run_failed"


@dataclass(frozen=True)
class Launched:
    """A run that ended well: the metadata of each stage that it brought up to date, and of the CSVs."""

    metadata: dict[str, dict[str, Any]]


def prepare_home(settings: Settings, environ: "os._Environ[str]" = os.environ) -> Path:
    """Make sure that there is a Dagster home with our instance settings, and point DAGSTER_HOME to it.

    A DAGSTER_HOME that is set already is used as it is.

    Raises:
        ConfigError: the home cannot be made or written.
    """
    given = environ.get("DAGSTER_HOME")
    home = Path(given) if given else settings.dagster_home
    if given and not (home.is_absolute() and home.is_dir()):
        raise ConfigError(f"DAGSTER_HOME={given} must be the full path of a folder that exists")
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not given and not (home / "dagster.yaml").exists():
            shutil.copyfile(_instance_template(), home / "dagster.yaml")
        (home / ".relight.lock").touch()
    except OSError as error:
        raise ConfigError(f"{'DAGSTER_HOME' if given else 'dagster_home'} {home} cannot be prepared: {error}") from None
    environ["DAGSTER_HOME"] = str(home)
    return home


def _instance_template() -> Path:
    """The project's ``config/dagster.yaml``, or the one that this package comes with."""
    checkout = Path(__file__).resolve().parents[2]
    own = project_folder() / "config" / "dagster.yaml"
    return own if own.is_file() else checkout / "config" / "dagster.yaml"


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The project's Dagster instance, with a partition for every CSV and no run of a process that is gone."""
    home = prepare_home(settings)
    with FileLock(home / ".relight.lock"):  # two first starts at once would make the same tables
        instance = dg.DagsterInstance.get()
        _leave_the_terminal_alone(instance)
        close_abandoned_runs(instance)
        _limit_pool(instance)
    with instance:
        register_splits(instance, settings)
        yield instance


def _leave_the_terminal_alone(instance: dg.DagsterInstance) -> None:
    """Have Dagster not turn what a run of the command line prints into files for the UI.

    While it does, the progress bar stands still, and the helpers that it starts for it answer Ctrl-C with a
    traceback each.
    """

    @contextmanager
    def uncaptured(log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        yield CapturedLogContext(log_key)

    instance.compute_log_manager.capture_logs = uncaptured  # type: ignore[method-assign]


def _limit_pool(instance: dg.DagsterInstance) -> None:
    # Dagster's daemon makes the pool as it starts the first runs, and starts them all: those that then wait for
    # a slot wait as started runs, each at the cost of a whole core.
    storage = instance.event_log_storage
    if POOL not in {limit.name for limit in storage.get_pool_limits()}:  # somebody's own limit stays
        storage.initialize_concurrency_limit_to_default(POOL)


def wait_for_pool(instance: dg.DagsterInstance, report: Callable[[str], None]) -> None:
    """Wait until the pool of the image op has a free slot; ``report`` is told whom it waits for, once.

    Dagster would wait by itself, but in a run that counts as started and at the cost of a whole core.
    """
    told = False
    while True:
        pool = instance.event_log_storage.get_concurrency_info(POOL)
        if pool.slot_count == 0 or pool.active_slot_count < pool.slot_count:
            return
        if not told:
            runs = ", ".join(sorted(pool.active_run_ids))
            report(f"waiting for run {runs}, which has the devices (if it hangs, end it in the UI, under Runs)")
            told = True
        time.sleep(2)
        close_abandoned_runs(instance)


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
        asset_selection=[dg.AssetKey(name) for name in (*(s for s in STAGES if s in stages), *OUTGOING)],
    )
    return Launched({name: found[name] for name in (*STAGES, *OUTGOING) if name in found})


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
        "stages": [stage for stage in STAGES if stage in stages],
    }
    job = definitions.resolve_job_def("experiment")
    found = _run(job, instance, split=split, ops={"relight_experiment": {"config": config}}, asset_selection=None)
    metadata = found[experiment_key(experiment).to_user_string()]
    counts = {record.data["stage"]: record.data for record in metadata[STAGE_TABLE].records}
    return Launched({stage: metadata | counts[stage] for stage in STAGES if stage in counts})


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
    with holding(instance, run_id, "launch"):
        result = job.execute_in_process(
            run_id=run_id,
            partition_key=split,
            instance=instance,
            asset_selection=asset_selection,
            run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={LAUNCHED_BY: COMMAND},
            raise_on_error=False,
        )
    if not result.success:
        raise _failure(result, split)
    found: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        found[materialization.asset_key.to_user_string()] = {
            name: value.value if not isinstance(value, dg.TableMetadataValue) else value
            for name, value in materialization.metadata.items()
        }
    return found


def _failure(result: dg.ExecuteInProcessResult, split: str) -> RelightError:
    stopped_by = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR
    ]
    if stopped_by:
        return LaunchError(f"{'; '.join(map(_told, stopped_by))}; `relight verify --split {split}` lists everything")
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        told = data.user_failure_data
        if told is not None and told.description:
            user_error = told.metadata.get("user_error")
            kind = UserError if user_error is not None and user_error.value else LaunchError
            return kind(told.description)
        if data.error is not None and data.error.cls_name == "DagsterExecutionInterruptedError":
            return InterruptedRunError()
        if data.error is not None:
            return LaunchError(f"run {result.run_id}, step {event.step_key}: {data.error.message.strip()}")
    return LaunchError(f"run {result.run_id} did not succeed; `relight dev` shows its events")


def _told(evaluation: dg.AssetCheckEvaluation) -> str:
    """One sentence about a check that failed, with the first fault that it found."""
    examples = evaluation.metadata.get("examples")
    first = examples.records[0].data if isinstance(examples, dg.TableMetadataValue) and examples.records else None
    return f"the check `{evaluation.check_name}` failed" + (f": {first['file']} {first['text']}" if first else "")
