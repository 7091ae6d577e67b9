"""``relight prune``: lists or removes images whose rows are gone, and partitions without a CSV."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from relight_assets.cli.dagster_runs import known_warnings_off
from relight_assets.cli.options import recipes, select_splits
from relight_assets.cli.terminal.messages import print_error, print_field, print_line, print_note, print_split_error
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.crash_reports import unexpected
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.folder import CsvFolder, no_rows
from relight_assets.dataset.csv.read import name_part
from relight_assets.engine.prune import csv_is_gone, find_orphans
from relight_assets.engine.prune import prune as remove_orphans
from relight_assets.errors import CsvError, RelightError, UserError

ORPHANS_SHOWN = 20
"""Of each split."""


@click.command()
@click.option("--split", "split", help="One split by name, from csv_dir; default: all.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@click.pass_obj
def prune(source: ProjectSource, split: str | None, experiment: str | None, yes: bool) -> None:
    """List, or remove, files whose rows are gone, and partitions without a usable CSV."""
    settings, csvs = select_splits(source.settings(), None, split, all_splits=split is None)
    errors = _prune_orphans(csvs, settings, experiment, recipes(source, settings, experiment), remove=yes)
    if split is None and experiment is None:
        errors += _prune_partitions(settings, source.folder(), remove=yes)
    if not yes:
        print_line("nothing was removed; --yes removes what is listed")
    sys.exit(exit_code(errors))


def _prune_orphans(
    folder: CsvFolder,
    settings: Settings,
    experiment: str | None,
    recipe_of: Callable[[str], LoadedRecipe],
    *,
    remove: bool,
) -> list[RelightError]:
    """List or remove the orphans of splits; the errors, which are printed, of those that are refused."""
    errors: list[RelightError] = []
    for path, csv in folder.read_all():
        try:
            if isinstance(csv, CsvError):
                raise csv  # noqa: TRY301
            if not csv.lines:
                # What was cut off while it was written looks the same, so nothing is an orphan of it.
                print_note(no_rows(path))
                continue
            recipe = recipe_of(csv.split).recipe
            found = (remove_orphans if remove else find_orphans)(csv, recipe, settings, experiment)
        except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
            shown = error if isinstance(error, RelightError) else unexpected(error)
            print_split_error(path, shown)
            errors.append(shown)
            continue
        numbers, files, mib = len(found.numbers), len(found.files), found.size / (1 << 20)
        removed = " removed" if remove and numbers else ""
        counts = f"{counted(numbers, 'number')} without a row, {counted(files, 'file')}"
        print_line(f"{csv.split}: {counts}, {mib:,.1f} MiB{removed}")
        for number in found.numbers[:ORPHANS_SHOWN]:
            print_field(f"{number:05d}", found.folder / f"{number:05d}_*")
    return errors


def _prune_partitions(settings: Settings, project: Path, *, remove: bool) -> list[RelightError]:
    """List or remove the partitions without a CSV that can be used; the errors, printed, where that is not sure."""
    try:
        return _prune_partitions_of(settings, project, remove=remove)
    except RelightError as error:  # what was found of the orphans is printed all the same
        print_error(str(error))
        return [error]


def _prune_partitions_of(settings: Settings, project: Path, *, remove: bool) -> list[RelightError]:
    with known_warnings_off():
        from relight_assets.defs.assets.splits import checked_csvs  # noqa: PLC0415  (Dagster is slow)
        from relight_assets.defs.runs.instance import instance_of  # noqa: PLC0415
    errors: list[RelightError] = []
    with instance_of(settings, project) as instance:
        csvs = checked_csvs(instance, settings)
        faulty = set(map(name_part, csvs.faults))
        for name in instance.get_dynamic_partitions("splits"):
            try:
                known = name in faulty or name in csvs.empty
                if name in csvs.usable or not (known or csv_is_gone(settings.output_root, name)):
                    continue
            except UserError as error:
                print_error(str(error))
                errors.append(error)
                continue
            csv = "without a CSV"
            if known:
                csv = "whose CSV cannot be used" if name in faulty else "whose CSV has no rows"
            print_line(f"{name}: a partition {csv}{' removed' if remove else ''}; its images stay")
            if remove:
                instance.delete_dynamic_partition("splits", name)
    return errors
