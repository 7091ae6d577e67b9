"""What ``relight prune`` lists and removes."""

from collections.abc import Sequence

from relight_assets.dagster_runs import dagster_part
from relight_assets.dataset.split_csv import find_splits, read_split_csv
from relight_assets.engine.prune import csv_is_gone, find_orphans, prune
from relight_assets.errors import RelightError, UserError
from relight_assets.settings import Settings
from relight_assets.terminal import line, say
from relight_assets.verify import recipe_of

ORPHANS_SHOWN = 20
"""Of each split."""


def prune_orphans(
    names: Sequence[str], settings: Settings, experiment: str | None, *, remove: bool
) -> list[RelightError]:
    """List or remove the orphans of splits; the errors of those that are refused."""
    csvs = find_splits(settings.csv_dir, settings.csv_glob)
    errors: list[RelightError] = []
    for name in names:
        try:
            recipe = recipe_of(name, settings, experiment).recipe
            found = (prune if remove else find_orphans)(read_split_csv(csvs[name]), recipe, settings, experiment)
        except RelightError as error:
            errors.append(error)
            continue
        numbers, files, mib = len(found.numbers), len(found.files), found.size / (1 << 20)
        removed = " removed" if remove and numbers else ""
        say(f"{name}: {numbers} numbers without a row, {files} files, {mib:,.1f} MiB{removed}")
        for number in found.numbers[:ORPHANS_SHOWN]:
            line(f"{number:05d}", found.folder / f"{number:05d}_*")
    return errors


def prune_partitions(settings: Settings, *, remove: bool) -> list[RelightError]:
    """List or remove the partitions whose CSV was removed; the errors of those of which that is not sure."""
    try:
        return _prune_partitions(settings, remove=remove)
    except RelightError as error:  # what was found of the orphans is told all the same
        return [error]


def _prune_partitions(settings: Settings, *, remove: bool) -> list[RelightError]:
    csvs = find_splits(settings.csv_dir, settings.csv_glob)
    errors: list[RelightError] = []
    with dagster_part("defs.launch").instance_of(settings) as instance:
        for name in instance.get_dynamic_partitions("splits"):
            try:
                if name in csvs or not csv_is_gone(settings.output_root, name):
                    continue
            except UserError as error:
                errors.append(error)
                continue
            say(f"{name}: a partition without a CSV{' removed' if remove else ''}; its pictures stay")
            if remove:
                instance.delete_dynamic_partition("splits", name)
    return errors
