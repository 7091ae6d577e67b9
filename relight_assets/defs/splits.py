"""The partitions, one per split CSV, and the CSV itself as an observed source asset."""

import dagster as dg

from relight_assets.dataset.split_csv import find_splits, read_split_csv
from relight_assets.defs.run_locks import RUN_LOCK
from relight_assets.settings import Settings, load_settings

SPLIT_CSV = dg.AssetKey("split_csv")

splits = dg.DynamicPartitionsDefinition(name="splits")


def register_splits(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Make a partition of every CSV in ``csv_dir`` that has none yet; the names of all that are there.

    Raises:
        CsvError: the folder or a CSV's name cannot be used.
    """
    names = list(find_splits(settings.csv_dir, settings.csv_glob))
    instance.add_dynamic_partitions("splits", names)
    return names


@dg.observable_source_asset(
    key=SPLIT_CSV,
    partitions_def=splits,
    required_resource_keys={RUN_LOCK},
    description=(
        "One CSV per split, with a column `image_path`; `train_images.csv` is the split `train`. "
        "It is only ever read. Observing it records the sha256 of its content as its data version."
    ),
)
def split_csv() -> dg.DataVersionsByPartition:
    """The content of every split CSV there is now."""
    settings = load_settings()
    found = find_splits(settings.csv_dir, settings.csv_glob)
    return dg.DataVersionsByPartition({name: read_split_csv(path).sha256 for name, path in found.items()})
