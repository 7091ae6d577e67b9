"""What Dagster is told of the CSVs and the recipe as they are, so that it shows what is stale.

An asset is stale if something that it depends on has another data version than when it was made.  Dagster takes these
versions when a step starts, so each run tells them before its first step; the sensor tells them while nothing runs.
"""

from contextlib import suppress
from typing import Any

import dagster as dg

from relight_assets.config.context import ProjectContext
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import canonical_digest
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.defs.names import OWN, Names
from relight_assets.errors import RelightError
from relight_assets.models.files import ModelFiles
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names, stage_spec

_VERSION = "dagster/data_version"


def recipe_version(stage: Stage, recipe: Recipe, settings: Settings) -> str:
    """What tells one recipe of a stage from another: its part of the recipe and the sha256 of its models.

    Raises:
        ModelFileError: weights that the recipe needs are not there.
    """
    return canonical_digest(_content(stage, recipe, settings))


def _content(stage: Stage, recipe: Recipe, settings: Settings) -> dict[str, Any]:
    spec, files = stage_spec(stage), ModelFiles.of(settings)
    return {
        "recipe": spec.recipe_part(recipe),
        "models": {name: files.sha256_of(name) for name in spec.models(recipe)},
    }


def observe_recipe(instance: dg.DagsterInstance, recipe: Recipe, settings: Settings, names: Names = OWN) -> None:
    """Tell the recipe of each stage, where it is another than was told last.

    Raises:
        ModelFileError: weights that the recipe needs are not there.
    """
    for stage in stage_names(recipe):
        key, version = names.recipe(stage), recipe_version(stage, recipe, settings)
        if _told(instance, key) != version:
            metadata = {name: dg.MetadataValue.json(part) for name, part in _content(stage, recipe, settings).items()}
            instance.report_runless_asset_event(dg.AssetObservation(key, metadata=metadata, tags={_VERSION: version}))


def csv_events(csv: SplitCsv, names: Names = OWN, **more: Any) -> list[dg.AssetObservation | dg.AssetMaterialization]:
    """What is told of a CSV: path, rows, columns, and its sha256 as data version; ``more`` is metadata too.

    The observation is what Dagster compares.  The materialization is what the UI shows of a partition, which it would
    call missing; it comes second, because Dagster takes what comes after it for a newer version.
    """
    columns = [*csv.columns]
    metadata = {
        "path": dg.MetadataValue.path(str(csv.path)),
        "dagster/row_count": len(csv.lines),
        "columns": ", ".join(columns),
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
        **more,
    }
    tags = {_VERSION: csv.sha256}
    return [
        dg.AssetObservation(names.split_csv, partition=csv.split, metadata=metadata, tags=tags),
        dg.AssetMaterialization(names.split_csv, partition=csv.split, metadata=metadata, tags=tags),
    ]


def observe_csv(instance: dg.DagsterInstance, csv: SplitCsv, names: Names = OWN) -> None:
    """Tell the content of a CSV, where it is another than was told last."""
    if _told(instance, names.split_csv, csv.split) != csv.sha256 or not _is_shown(instance, csv, names):
        for event in csv_events(csv, names):
            instance.report_runless_asset_event(event)


def observe_before_run(
    instance: dg.DagsterInstance, project: ProjectContext, split: str | None, names: Names = OWN
) -> None:
    """Tell what a run is about to work with; what cannot be used is left for its steps to tell."""
    with suppress(RelightError):
        observe_recipe(instance, project.recipe, project.settings, names)
    if split is not None:
        with suppress(RelightError):
            observe_csv(instance, list_csvs(project.settings.csv_dir, project.settings.csv_glob).read(split), names)


def _told(instance: dg.DagsterInstance, key: dg.AssetKey, split: str | None = None) -> str | None:
    """The data version that was told last of an asset, or of one of its partitions."""
    which = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[split] if split is not None else None)
    for record in instance.fetch_observations(which, limit=1).records:
        observation = record.event_log_entry.asset_observation
        return (observation.tags or {}).get(_VERSION) if observation is not None else None
    return None


def _is_shown(instance: dg.DagsterInstance, csv: SplitCsv, names: Names) -> bool:
    which = dg.AssetRecordsFilter(asset_key=names.split_csv, asset_partitions=[csv.split])
    for record in instance.fetch_materializations(which, limit=1).records:
        shown = record.asset_materialization
        return shown is not None and (shown.tags or {}).get(_VERSION) == csv.sha256
    return False
