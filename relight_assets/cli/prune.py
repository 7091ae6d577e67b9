"""What ``relight prune`` lists and removes."""

from relight_assets.cli.dagster_runs import dagster_part
from relight_assets.cli.terminal import line, say, tell, tell_error
from relight_assets.config.settings import Settings
from relight_assets.core.crash_reports import unexpected
from relight_assets.dataset.csv.folder import CsvFolder, no_rows
from relight_assets.dataset.csv.read import name_part
from relight_assets.engine.prune import csv_is_gone, find_orphans, prune
from relight_assets.errors import CsvError, RelightError, UserError
from relight_assets.quality.verify.split import recipe_of

ORPHANS_SHOWN = 20
"""Of each split."""


def prune_orphans(folder: CsvFolder, settings: Settings, experiment: str | None, *, remove: bool) -> list[RelightError]:
    """List or remove the orphans of splits; the errors, which are told, of those that are refused."""
    errors: list[RelightError] = []
    for path, csv in folder.read_all():
        try:
            if isinstance(csv, CsvError):
                raise csv  # noqa: TRY301
            if csv.table.empty:
                # What was cut off while it was written looks the same, so nothing is an orphan of it.
                tell("note", "yellow", no_rows(path))
                continue
            recipe = recipe_of(csv.split, settings, experiment).recipe
            found = (prune if remove else find_orphans)(csv, recipe, settings, experiment)
        except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
            told = error if isinstance(error, RelightError) else unexpected(error)
            tell_error(path, told)
            errors.append(told)
            continue
        numbers, files, mib = len(found.numbers), len(found.files), found.size / (1 << 20)
        removed = " removed" if remove and numbers else ""
        say(f"{csv.split}: {numbers} numbers without a row, {files} files, {mib:,.1f} MiB{removed}")
        for number in found.numbers[:ORPHANS_SHOWN]:
            line(f"{number:05d}", found.folder / f"{number:05d}_*")
    return errors


def prune_partitions(settings: Settings, *, remove: bool) -> list[RelightError]:
    """List or remove the partitions without a CSV that can be used; the errors, told, where that is not sure."""
    try:
        return _prune_partitions(settings, remove=remove)
    except RelightError as error:  # what was found of the orphans is told all the same
        tell("error", "bold red", str(error))
        return [error]


def _prune_partitions(settings: Settings, *, remove: bool) -> list[RelightError]:
    errors: list[RelightError] = []
    with dagster_part("defs.runs.launch").instance_of(settings) as instance:
        csvs = dagster_part("defs.assets.splits").checked_csvs(instance, settings)
        faulty = set(map(name_part, csvs.faults))
        for name in instance.get_dynamic_partitions("splits"):
            try:
                known = name in faulty or name in csvs.empty
                if name in csvs.usable or not (known or csv_is_gone(settings.output_root, name)):
                    continue
            except UserError as error:
                tell("error", "bold red", str(error))
                errors.append(error)
                continue
            csv = "without a CSV"
            if known:
                csv = "whose CSV cannot be used" if name in faulty else "whose CSV has no rows"
            say(f"{name}: a partition {csv}{' removed' if remove else ''}; its pictures stay")
            if remove:
                instance.delete_dynamic_partition("splits", name)
    return errors
