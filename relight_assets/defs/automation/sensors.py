"""Sensors and the schedule: runs on new CSVs, the nightly sweep, and closing runs whose process is gone."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.crash_reports import unexpected
from relight_assets.dataset.csv.folder import list_csvs, no_rows, read_csv
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.csv.watch import Changes, CsvStamp, detect_changes
from relight_assets.defs.assets.splits import SPLIT_CSV, known_csvs, splits
from relight_assets.defs.automation.dead_runs import close_abandoned_runs, runs_left_alone
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.jobs.jobs import relight_split
from relight_assets.defs.runs.history import history_errors
from relight_assets.engine.publish import mapping_is_current
from relight_assets.engine.run import digests_of, load_split_state
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.plan import make_plan
from relight_assets.errors import ConfigError, OtherPhotosError, RelightError
from relight_assets.stages.registry import stage_names

MAX_ATTEMPTS = 3
"""Runs of one content of a CSV, the first included: what failed that often is not tried again by itself."""
RETRY_AFTER_S = 60.0
"""Before the second attempt; twice that before the third."""
TICK_S = 5
CLOSE_EVERY_S = 30
SCAN_S = 20.0
"""Longest that a tick waits for the scan of what changed: a disk that does not answer must not keep its run back."""
RUN_KEY = "dagster/run_key"
ATTEMPT = "relight/attempt"
"""The tag with the number of an attempt, of :data:`MAX_ATTEMPTS`."""
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class TickError(dg.DagsterError):
    """What a tick has to tell as an error; as one of Dagster's own it is shown with its sentence first."""


@dataclass(frozen=True)
class _Asked:
    """The run that was last asked for because of a split's CSV.

    ``generation`` makes its key another one than any before it: Dagster never starts a key twice, not even when
    the CSV goes back to what it was, or when the run failed.
    """

    sha256: str
    generation: int = 1
    attempts: int = 1

    def key(self, split: str) -> str:
        return f"{split}:{self.sha256[:16]}:{self.generation}"

    def unused(self, instance: dg.DagsterInstance, split: str) -> "_Asked":
        """This, of the first generation that no run has which has ended.

        The cursor may have been reset or set back, and Dagster would pass over a key that it knows.  A run that has not
        ended is this very request: the daemon was killed before it could keep the cursor.
        """
        asked = self
        while any(run.is_finished for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY: asked.key(split)}))):
            asked = replace(asked, generation=asked.generation + 1)
        return asked


@dataclass
class _Memory:
    """What the sensor keeps from tick to tick, in its cursor."""

    seen: dict[str, CsvStamp] = field(default_factory=dict)
    asked: dict[str, _Asked] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str | None) -> "_Memory":
        try:
            kept = json.loads(cursor or "{}")
            known = {field.name for field in fields(CsvStamp)}  # an older version kept more
            return cls(
                {
                    split: CsvStamp(**{name: value for name, value in entry.items() if name in known})
                    for split, entry in kept.get("seen", {}).items()
                },
                {split: _Asked(**entry) for split, entry in kept.get("asked", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()  # of another version: everything is looked at anew, which costs runs with nothing to do

    def cursor(self) -> str:
        return json.dumps({"seen": _plain(self.seen), "asked": _plain(self.asked)}, sort_keys=True)


def _plain(items: dict[str, Any]) -> dict[str, Any]:
    return {name: asdict(item) for name, item in items.items()}


def sensor_of(source: ProjectSource, settings: Settings) -> dg.SensorDefinition:
    """The sensor on ``csv_dir``, running from the start where ``watch`` says so; its ticks read ``source``."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with history_errors(home_of(context.instance)):
            return _detect_changes(context, source)

    return dg.SensorDefinition(
        name="new_csvs",
        job=relight_split,
        evaluation_fn=tick,
        minimum_interval_seconds=TICK_S,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        description=(
            "Watches csv_dir. A CSV that is new, or whose content changed, is a run of its split, as soon as it was "
            "left alone from one tick to the next. A run that failed is tried again, three times in all."
        ),
    )


def schedule_of(source: ProjectSource, settings: Settings) -> dg.ScheduleDefinition:
    """The sweep, which somebody has to switch on; its ticks read ``source``.

    Raises:
        ConfigError: ``sweep_cron`` is no cron expression.
    """

    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from sweep(context, source)

    try:
        return dg.ScheduleDefinition(
            name="sweep",
            job=relight_split,
            execution_fn=tick,
            cron_schedule=settings.sweep_cron,
            description=(
                "Looks at every split and runs those of which something is missing or stale, whatever made it so: a "
                "CSV that the sensor missed, another recipe, a file that was deleted. A split with a run under way is "
                "left alone."
            ),
        )
    except dg.DagsterInvalidDefinitionError:
        raise ConfigError(
            f'`sweep_cron`: found "{settings.sweep_cron}"; must be a cron expression, such as "0 3 * * *" for every '
            f"night at three"
        ) from None


@dg.sensor(
    minimum_interval_seconds=CLOSE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Marks runs whose process is gone as failed, so that they no longer keep the devices from others. Starts "
        "nothing; a run that waits, is about to start or is at work is left alone."
    ),
)
def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Close the runs that are dead; which they were is the tick's reason."""
    with history_errors(home_of(context.instance)):
        closed = close_abandoned_runs(context.instance)
        unsure = [str(state) for state in runs_left_alone(context.instance)]
    for run_id in closed:
        context.log.warning(f"the process of run {run_id} is gone; the run is marked as failed")
    reason = f"closed, because their process is gone: {', '.join(closed)}" if closed else "no run is dead"
    return dg.SkipReason("; ".join([reason, *unsure]))


def _detect_changes(context: dg.SensorEvaluationContext, source: ProjectSource) -> dg.SensorResult:
    """Ask for the runs of what changed; with nothing to ask for, what is wrong with the other CSVs is an error.

    A tick that raises asks for nothing and leaves the cursor as it was.  So it raises only where there is neither a
    run or partition to ask for nor anything to remember: nothing is started twice, and nothing is forgotten.

    Raises:
        TickError: there are CSVs that cannot be used, or the folder cannot be listed.
    """
    settings, memory = source.settings(), _Memory.of(context.cursor)
    before = memory.cursor()
    try:
        changes = detect_changes(settings.csv_dir, settings.csv_glob, memory.seen, known_csvs(context.instance))
    except RelightError as error:
        raise TickError(str(error)) from None
    faults = list(dict.fromkeys(map(str, changes.faults.values())))
    for split in changes.gone:
        context.log.warning(f"the CSV of split `{split}` is gone; its outputs stay")
    for csv in changes.changed.values():
        for note in csv.notes:
            context.log.warning(note)
    memory.seen = changes.seen
    unchecked = _log_unchecked_rows(context, changes.changed, source, settings)
    requests = [*_of_changed(context.instance, changes, memory), *_of_failed(context.instance, memory, changes)]
    asked = {str(request.partition_key) for request in requests}  # the partitions may have been lost with the history
    there = {split for split in changes.seen if changes.usable(split) and split not in changes.resting}
    new = sorted((asked | there) - set(context.instance.get_dynamic_partitions("splits")))
    if faults and not (requests or new) and memory.cursor() == before:
        raise TickError(" ".join(faults))
    for fault in faults:
        context.log.error(fault)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason(_nothing_to_do(changes, faults)),
        cursor=memory.cursor(),
        dynamic_partitions_requests=[splits.build_add_request(new)] if new else [],
        asset_events=[
            dg.AssetObservation(
                SPLIT_CSV,
                partition=split,
                metadata={
                    "dagster/row_count": len(csv.table),
                    "path": dg.MetadataValue.path(str(csv.path)),
                    **({"unchecked_rows": unchecked[split]} if split in unchecked else {}),
                },
                tags={"dagster/data_version": csv.sha256},
            )
            for split, csv in changes.changed.items()
        ],
    )


def _log_unchecked_rows(
    context: dg.SensorEvaluationContext, changed: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, int]:
    """How many rows of each changed split wait for files to be hashed, as far as its run is not going to be refused."""
    found: dict[str, int] = {}
    for split, rows in _scanned(changed, source, settings).items():
        if isinstance(rows, RelightError):
            context.log.error(f"{split}: {rows}")
            continue
        found[split] = rows
        if rows:
            context.log.info(f"{split}: {rows} rows unchecked: their files must be hashed")
    for split in changed.keys() - found.keys():
        context.log.warning(f"{split}: its files could not be looked at within {SCAN_S:g} s; the run will say more")
    return found


def _scanned(
    changed: Mapping[str, SplitCsv], source: ProjectSource, settings: Settings
) -> dict[str, int | RelightError]:
    """The unchecked rows of each split, or why its run would be refused; without those that take too long."""
    if not changed:
        return {}
    answers: SimpleQueue[tuple[str, int | RelightError]] = SimpleQueue()

    def scan_all() -> None:
        for split, csv in changed.items():
            answers.put((split, _unchecked_rows(csv, source, settings)))

    Thread(target=scan_all, daemon=True).start()
    found: dict[str, int | RelightError] = {}
    latest = time.monotonic() + SCAN_S
    with suppress(Empty):
        while len(found) < len(changed):
            split, rows = answers.get(timeout=max(0.0, latest - time.monotonic()))
            found[split] = rows
    return found


def _unchecked_rows(csv: SplitCsv, source: ProjectSource, settings: Settings) -> int | RelightError:
    try:
        state = load_split_state(csv, source.recipe().recipe, settings)
        reason = refusal(state)
    except RelightError as error:
        return error
    except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
        return unexpected(error)
    return state.unchecked_rows if reason is None else OtherPhotosError(reason)


def _of_changed(instance: dg.DagsterInstance, changes: Changes, memory: _Memory) -> Iterator[dg.RunRequest]:
    for split, csv in changes.changed.items():
        before = memory.asked.get(split)
        asked = _Asked(csv.sha256, before.generation + 1 if before else 1)
        memory.asked[split] = asked.unused(instance, split)
        yield _request(split, memory.asked[split])


def _of_failed(instance: dg.DagsterInstance, memory: _Memory, changes: Changes) -> Iterator[dg.RunRequest]:
    for split, asked in memory.asked.items():
        if asked.attempts >= MAX_ATTEMPTS or not changes.usable(split):
            continue
        records = instance.get_run_records(dg.RunsFilter(tags={RUN_KEY: asked.key(split)}), limit=1)
        if not records or records[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
            continue  # on its way, done, or ended by a person, who may have a reason
        if time.time() - (records[0].end_time or 0) < RETRY_AFTER_S * asked.attempts:
            continue
        again = _Asked(asked.sha256, asked.generation + 1, asked.attempts + 1)
        memory.asked[split] = again.unused(instance, split)
        yield _request(split, memory.asked[split])


def _request(split: str, asked: _Asked) -> dg.RunRequest:
    return dg.RunRequest(run_key=asked.key(split), partition_key=split, tags={ATTEMPT: str(asked.attempts)})


def _nothing_to_do(changes: Changes, faults: Iterable[str]) -> str:
    reasons = [*faults]
    if changes.resting:
        reasons.append(f"{', '.join(changes.resting)}: moved since the last tick, left alone until the next")
    if changes.gone:
        reasons.append(f"gone: {', '.join(changes.gone)}; their outputs stay")
    return " ".join([*reasons, *changes.empty.values()]) or f"nothing new among {len(changes.seen)} CSVs"


def sweep(context: dg.ScheduleEvaluationContext, source: ProjectSource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the runs of what is missing or stale; with none to ask for, what is wrong with a split is an error.

    Raises:
        TickError: there are splits that cannot be run, and no run is asked for, which a tick that raises would lose.
    """
    project = source.context()
    settings, recipe = project.settings, project.recipe
    try:
        folder = list_csvs(settings.csv_dir, settings.csv_glob)
    except RelightError as error:
        raise TickError(str(error)) from None
    faults: list[RelightError] = [*folder.faults.values()]
    stale: dict[str, str] = {}
    for split, path in folder.found.items():
        running = dg.RunsFilter(tags={"dagster/partition": split}, statuses=_UNFINISHED)
        if context.instance.get_runs_count(running):
            context.log.info(f"{split}: a run is under way")
            continue
        try:
            csv = read_csv(path)
            if csv.table.empty:
                context.log.info(no_rows(path))
            elif reason := why_stale(csv, recipe, settings):
                stale[split] = reason
        except RelightError as error:
            faults.append(error)
    sentences = list(dict.fromkeys(map(str, faults)))
    if sentences and not stale:
        raise TickError(" ".join(sentences))
    for fault in sentences:
        context.log.error(fault)
    for split, reason in stale.items():
        context.log.info(f"{split}: {reason}")
        context.instance.add_dynamic_partitions("splits", [split])
        yield dg.RunRequest(partition_key=split)
    if not stale:
        yield dg.SkipReason(f"nothing is missing or stale in {len(folder.found)} splits")


def why_stale(csv: SplitCsv, recipe: Recipe, settings: Settings) -> str | None:
    """What a run of a split would have to do; None where that is nothing.

    Raises:
        RelightError: its folder or its models cannot be used.
    """
    state = load_split_state(csv, recipe, settings)
    if (reason := refusal(state)) is not None:
        raise OtherPhotosError(reason)
    if state.unchecked_rows:
        return f"{state.unchecked_rows} rows unchecked: their files must be hashed"
    if new := sum(image.index is None for image in state.images.values()):
        return f"{new} images without a number"
    if work := make_plan(state, digests_of(recipe, settings), stage_names()).work:
        return f"{len(work)} images of which something is missing or stale"
    # A row that is gone, a label that was edited, another order: then the mapping is to be another one.
    return None if mapping_is_current(state, settings) else "the mapping is not that of the CSV"
