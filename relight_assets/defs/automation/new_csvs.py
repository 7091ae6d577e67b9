"""The sensor `new_csvs`: requests a run for each CSV that is new or whose content changed."""

from collections.abc import Iterable, Mapping

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.watch import Changes, detect_changes
from relight_assets.defs.assets.splits import SPLIT_CSV, known_csvs, splits
from relight_assets.defs.automation.cursor import Cursor
from relight_assets.defs.automation.run_requests import requests_of_changed, requests_of_failed
from relight_assets.defs.automation.tick_error import TickError, sentences
from relight_assets.defs.automation.unchecked_rows import log_unchecked_rows
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.jobs.jobs import relight_split
from relight_assets.defs.runs.history import history_errors
from relight_assets.errors import RelightError

TICK_S = 5


def sensor_of(source: ProjectSource, settings: Settings) -> dg.SensorDefinition:
    """The sensor on ``csv_dir``, running from the start where ``watch`` says so; its ticks read ``source``."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with history_errors(home_of(context.instance)):
            return _tick(context, source)

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


def _tick(context: dg.SensorEvaluationContext, source: ProjectSource) -> dg.SensorResult:
    """Request the runs of what changed; with nothing to request, what is wrong with the other CSVs is an error.

    A tick that raises requests nothing and leaves the cursor as it was.  So it raises only where there is neither a
    run or partition to request nor anything to remember: nothing is started twice, and nothing is forgotten.

    Raises:
        TickError: there are CSVs that cannot be used, or the folder cannot be listed.
    """
    settings, cursor = source.settings(), Cursor.parse(context.cursor)
    before = cursor.text()
    try:
        changes = detect_changes(settings.csv_dir, settings.csv_glob, cursor.stamps, known_csvs(context.instance))
    except RelightError as error:
        raise TickError(str(error)) from None
    _log_changes(context, changes)
    cursor.stamps = changes.stamps
    unchecked = log_unchecked_rows(context, changes.changed, source, settings)
    requests = [
        *requests_of_changed(context.instance, changes, cursor.requests),
        *requests_of_failed(context.instance, changes, cursor.requests),
    ]
    new = _new_partitions(context.instance, changes, requests)
    faults = sentences(changes.faults.values())
    if faults and not (requests or new) and cursor.text() == before:
        raise TickError(" ".join(faults))
    for fault in faults:
        context.log.error(fault)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason(_why_no_run(changes, faults)),
        cursor=cursor.text(),
        dynamic_partitions_requests=[splits.build_add_request(new)] if new else [],
        asset_events=_observations(changes, unchecked),
    )


def _log_changes(context: dg.SensorEvaluationContext, changes: Changes) -> None:
    for split in changes.gone:
        context.log.warning(f"the CSV of split `{split}` is gone; its outputs stay")
    for csv in changes.changed.values():
        for note in csv.notes:
            context.log.warning(note)


def _new_partitions(instance: dg.DagsterInstance, changes: Changes, requests: Iterable[dg.RunRequest]) -> list[str]:
    """The splits that are to become partitions: those of usable CSVs, and of runs, as a lost history lost theirs."""
    requested = {str(request.partition_key) for request in requests}
    usable = {split for split in changes.stamps if changes.usable(split) and split not in changes.resting}
    return sorted((requested | usable) - set(instance.get_dynamic_partitions("splits")))


def _observations(changes: Changes, unchecked: Mapping[str, int]) -> list[dg.AssetObservation]:
    """Of each CSV whose content is new: its rows, how many of them are unchecked, and its sha256 as data version."""
    return [
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
    ]


def _why_no_run(changes: Changes, faults: Iterable[str]) -> str:
    reasons = [*faults]
    if changes.resting:
        reasons.append(f"{', '.join(changes.resting)}: waiting until the file has been the same for a tick")
    if changes.gone:
        reasons.append(f"gone: {', '.join(changes.gone)}; their outputs stay")
    return " ".join([*reasons, *changes.empty.values()]) or f"nothing new among {len(changes.stamps)} CSVs"
