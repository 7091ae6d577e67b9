"""The schedule `sweep`: runs the splits of which something is missing or stale, whatever made it so."""

from collections.abc import Iterator

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs, no_rows, read_csv
from relight_assets.defs.automation.split_scans import scan
from relight_assets.defs.automation.tick_error import TickError, sentences
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.unfinished import is_under_way
from relight_assets.errors import ConfigError, RelightError


def schedule_of(source: ProjectSource, settings: Settings, names: Names = OWN) -> dg.ScheduleDefinition:
    """The sweep, which somebody has to switch on; its ticks read ``source``.

    Raises:
        ConfigError: ``sweep_cron`` is no cron expression.
    """

    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from sweep(context, source, names)

    try:
        return dg.ScheduleDefinition(
            name=names.of("sweep"),
            job_name=names.of("relight_split"),
            execution_fn=tick,
            cron_schedule=settings.sweep_cron,
            description=(
                "Scans every split and runs those of which something is missing or stale, whatever made it so: a "
                "CSV that the sensor missed, another recipe, a file that was deleted. A split with a run under way is "
                "left alone."
            ),
        )
    except dg.DagsterInvalidDefinitionError:
        raise ConfigError(
            f'`sweep_cron`: found "{settings.sweep_cron}"; must be a cron expression, such as "0 3 * * *" for every '
            f"night at three"
        ) from None


def sweep(
    context: dg.ScheduleEvaluationContext, source: ProjectSource, names: Names = OWN
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request the runs of what is missing or stale; with none to request, what is wrong with a split is an error.

    Raises:
        TickError: there are splits that cannot be run, and no run is requested, which a tick that raises would lose.
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
        if is_under_way(context.instance, split, names):
            context.log.info(f"{split}: a run is under way")
            continue
        try:
            csv = read_csv(path)
            if not csv.lines:
                context.log.info(no_rows(path))
            elif reason := scan(csv, recipe, settings).stale:
                stale[split] = reason
        except RelightError as error:
            faults.append(error)
    if faults and not stale:
        raise TickError(" ".join(sentences(faults)))
    for fault in sentences(faults):
        context.log.error(fault)
    for split, reason in stale.items():
        context.log.info(f"{split}: {reason}")
        context.instance.add_dynamic_partitions(names.partitions, [split])
        yield dg.RunRequest(partition_key=split)
    if not stale:
        yield dg.SkipReason(f"nothing is missing or stale in {len(folder.found)} splits")
