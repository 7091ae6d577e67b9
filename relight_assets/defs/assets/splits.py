"""The partitions, one per split CSV that can be used, and the CSV itself as an observed source asset."""

from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.contents import CheckedCsvs, KnownCsvs, check_csvs
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.defs.assets.observations import csv_events
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.resources import RunInputs, inputs_of
from relight_assets.errors import CsvError


def known_csvs(instance: dg.DagsterInstance, names: Names = OWN) -> KnownCsvs:
    """What CSVs hold that need not be read again, kept in the instance's folder."""
    return _known_csvs(home_of(instance) / f"{names.of('relight_csvs')}.json")


@cache
def _known_csvs(file: Path) -> KnownCsvs:
    return KnownCsvs(file)


def checked_csvs(instance: dg.DagsterInstance, settings: Settings) -> CheckedCsvs:
    """Which CSVs of ``csv_dir`` can be used; those that did not change since they were read are not read again.

    Raises:
        CsvError: the folder cannot be listed.
    """
    return check_csvs(list_csvs(settings.csv_dir, settings.csv_glob), known_csvs(instance))


def register_splits(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Make a partition of every CSV in ``csv_dir`` that can be used and has none yet; the names of all of these.

    Raises:
        CsvError: the folder cannot be listed.
    """
    names = list(checked_csvs(instance, settings).usable)
    instance.add_dynamic_partitions(OWN.partitions, names)
    return names


def split_csv_source(names: Names = OWN) -> Any:
    """The CSV of each split as an observed source asset."""

    @dg.observable_source_asset(
        key=names.split_csv,
        partitions_def=names.splits,
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        description=(
            "One CSV per split, with a column `image_path`; `train_images.csv` is the split `train`. "
            "It is only ever read. Observing it records the sha256 of its content as its data version."
        ),
    )
    def split_csv(context: dg.OpExecutionContext) -> dg.DataVersionsByPartition:
        return _observed(context, inputs_of(context, names), names)

    return split_csv


def _observed(context: dg.OpExecutionContext, run_inputs: RunInputs, names: Names) -> dg.DataVersionsByPartition:
    """The content of every split CSV that can be used; fails at the end if there are others."""
    settings = run_inputs.project().settings
    read = list(list_csvs(settings.csv_dir, settings.csv_glob).read_all())
    usable = [csv for _, csv in read if isinstance(csv, SplitCsv) and csv.lines]
    faults = [str(fault) for _, fault in read if isinstance(fault, CsvError)]
    for csv in usable:
        for event in csv_events(csv, names):
            context.log_event(event)
    if not faults:
        return dg.DataVersionsByPartition({csv.split: csv.sha256 for csv in usable})
    raise dg.Failure(description=" ".join(faults), metadata={"user_error": True}, allow_retries=False)
