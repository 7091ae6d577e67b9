"""The sensor `new_csvs`: requests a run for each CSV that is new or whose content changed."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.csv.watch import Changes, detect_changes
from relight_assets.defs.assets.observations import csv_events, observe_recipe
from relight_assets.defs.assets.splits import known_csvs
from relight_assets.defs.automation.cursor import Cursor
from relight_assets.defs.automation.run_requests import requests_of_changed, requests_of_failed
from relight_assets.defs.automation.split_scans import SplitScan, log_scans
from relight_assets.defs.automation.tick_error import TickError, sentences
from relight_assets.defs.automation.up_to_date import planner_of
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.history import history_errors
from relight_assets.errors import RelightError

TICK_S = 5


def sensor_of(source: ProjectSource, settings: Settings, names: Names = OWN) -> dg.SensorDefinition:
    """The sensor on ``csv_dir``, running from the start where ``watch`` says so; its ticks read ``source``."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with history_errors(home_of(context.instance)):
            return _tick(context, source, names)

    return dg.SensorDefinition(
        name=names.of("new_csvs"),
        job_name=names.of("relight_split"),
        evaluation_fn=tick,
        minimum_interval_seconds=TICK_S,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        description=(
            "Watches csv_dir. A CSV that is new, or whose content changed, is a run of its split, as soon as it was "
            "left alone from one tick to the next, unless everything is up to date. A run that failed is tried again, "
            "three times in all. Between runs it observes the recipe and evaluates the check `up_to_date`."
        ),
    )


def _tick(context: dg.SensorEvaluationContext, source: ProjectSource, names: Names) -> dg.SensorResult:
    """Request the runs of what changed; with nothing to request, what is wrong with the other CSVs is an error.

    A tick that raises requests nothing and leaves the cursor as it was.  So it raises only where there is neither a
    run or partition to request nor anything to remember: nothing is started twice, and nothing is forgotten.

    Raises:
        TickError: there are CSVs that cannot be used, or the folder cannot be listed.
    """
    settings, cursor = source.settings(), Cursor.parse(context.cursor)
    before = cursor.text()
    try:
        changes = detect_changes(
            settings.csv_dir, settings.csv_glob, cursor.stamps, known_csvs(context.instance, names)
        )
    except RelightError as error:
        raise TickError(str(error)) from None
    _log_changes(context, changes)
    cursor.stamps = changes.stamps
    scans = log_scans(context, changes.changed, source, settings)
    requests = [
        *requests_of_changed(context.instance, _to_run(context, changes.changed, scans, names), cursor.requests, names),
        *requests_of_failed(context.instance, changes, cursor.requests, names),
    ]
    new = _new_partitions(context.instance, changes, requests, names)
    planner_of(context.instance, names).report(
        context.instance,
        {split: changes.paths[split] for split in changes.stamps if changes.usable(split)},
        source,
        settings,
        requested=[*changes.resting, *(str(request.partition_key) for request in requests)],
    )
    faults = sentences([*changes.faults.values(), *_recipe_fault(context.instance, source, settings, names)])
    if faults and not (requests or new) and cursor.text() == before:
        raise TickError(" ".join(faults))
    for fault in faults:
        context.log.error(fault)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason(_why_no_run(changes, faults)),
        cursor=cursor.text(),
        dynamic_partitions_requests=[names.splits.build_add_request(new)] if new else [],
        asset_events=_csv_events(changes.changed, scans, names),
    )


def _log_changes(context: dg.SensorEvaluationContext, changes: Changes) -> None:
    for split in changes.gone:
        context.log.warning(f"the CSV of split `{split}` is gone; its outputs stay")
    for csv in changes.changed.values():
        for note in csv.notes:
            context.log.warning(note)


def _new_partitions(
    instance: dg.DagsterInstance, changes: Changes, requests: Iterable[dg.RunRequest], names: Names
) -> list[str]:
    """The splits that are to become partitions: those of usable CSVs, and of runs, as a lost history lost theirs."""
    requested = {str(request.partition_key) for request in requests}
    usable = {split for split in changes.stamps if changes.usable(split) and split not in changes.resting}
    return sorted((requested | usable) - set(instance.get_dynamic_partitions(names.partitions)))


def _to_run(
    context: dg.SensorEvaluationContext,
    changed: Mapping[str, SplitCsv],
    scans: Mapping[str, SplitScan],
    names: Names,
) -> dict[str, SplitCsv]:
    """The splits, of those whose CSVs are new or changed, that a run has something to do for.

    A split whose materializations the history lacks is run too: it computes nothing, and the UI knows it from then on.
    """
    to_run = dict(changed)
    for split, scan in scans.items():
        if scan.stale is None and _is_in_history(context.instance, split, names):
            context.log.info(f"{split}: everything is up to date; no run is needed")
            del to_run[split]
    return to_run


def _is_in_history(instance: dg.DagsterInstance, split: str, names: Names) -> bool:
    return all(split in instance.get_materialized_partitions(key) for key in (*names.stages, *names.csvs))


def _recipe_fault(
    instance: dg.DagsterInstance, source: ProjectSource, settings: Settings, names: Names
) -> list[RelightError]:
    """Observe the recipe; what is wrong with it."""
    try:
        observe_recipe(instance, source.recipe().recipe, settings, names)
    except RelightError as error:
        return [error]
    return []


def _csv_events(
    changed: Mapping[str, SplitCsv], scans: Mapping[str, SplitScan], names: Names
) -> Sequence[dg.AssetObservation | dg.AssetMaterialization]:
    """Of each CSV whose content is new: path, rows, columns, sha256, and how many of its rows are unchecked."""
    return [
        event
        for split, csv in changed.items()
        for event in csv_events(
            csv, names, **({"unchecked_rows": scans[split].unchecked_rows} if split in scans else {})
        )
    ]


def _why_no_run(changes: Changes, faults: Iterable[str]) -> str:
    reasons = [*faults]
    if changes.resting:
        reasons.append(f"{', '.join(changes.resting)}: waiting until the file has been the same for a tick")
    if changes.gone:
        reasons.append(f"gone: {', '.join(changes.gone)}; their outputs stay")
    return " ".join([*reasons, *changes.empty.values()]) or f"nothing new among {len(changes.stamps)} CSVs"
