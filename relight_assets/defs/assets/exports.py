"""The exports of the settings as assets: snapshots of a split in the layout of a trainer, downstream of its mapping."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import dagster as dg

from relight_assets.config.datasets.exports import Export
from relight_assets.config.settings import Settings
from relight_assets.core.hashing import canonical_digest
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import published_partition
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.errors import ConfigError, UserError
from relight_assets.exports.cards.readme import README
from relight_assets.exports.export import FORMAT, Exported, export_split
from relight_assets.exports.read_back import ReadBack, read_back
from relight_assets.exports.registry import layout, need_packages
from relight_assets.exports.rows.other_splits import KeptPhotos
from relight_assets.exports.rows.review import dropped_photos

READABLE = "export_is_readable"
"""The check that reads an export back."""
SHOWN = 20
"""Faults in its metadata."""


def export_assets(settings: Settings, names: Names = OWN) -> list[dg.AssetsDefinition]:
    """An asset for each export of the settings.

    Raises:
        ConfigError: two have one name, or a layout is unknown or lacks a package.
    """
    given = [each.name for each in settings.exports]
    twice = {name for name in given if given.count(name) > 1}
    if twice:
        raise ConfigError(f"exports: `{twice.pop()}` is there twice; give each a name of its own")
    completed = (each.model_copy(update={"options": settings.completed(each.options)}) for each in settings.exports)
    return [_asset(each, names) for each in completed]


def _asset(export: Export, names: Names) -> dg.AssetsDefinition:
    try:
        spec = layout(export.layout)
        need_packages(spec)
    except UserError as error:
        raise ConfigError(f"exports: `{export.name}`: {str(error).removeprefix('--layout: ')}") from None
    key = names.key("exports", export.name)
    options = canonical_digest(export.options.model_dump(mode="json"))[:12]

    @dg.asset(
        key=key,
        deps=[names.mapping],
        partitions_def=names.splits,
        group_name=names.of("exports"),
        required_resource_keys={names.run_inputs},
        kinds={"huggingface"} if export.layout in {"imagefolder", "parquet"} else {"file"},
        code_version=f"{FORMAT}-{export.layout}-{options}",
        check_specs=[
            dg.AssetCheckSpec(READABLE, asset=key, description="Every pair is read back by the rules of its reader.")
        ],
        description=f"The finished pairs of a split as {spec.reader} reads them; target = the photo.",
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        with as_dagster_failure():
            exported, found = _export(export, context.partition_key, inputs_of(context, names))
        yield dg.MaterializeResult(metadata=_metadata(exported), check_results=[_check(key, found)])

    return asset


def _export(export: Export, partition: str, run_inputs: RunInputs) -> tuple[Exported, ReadBack]:
    settings, state = run_inputs.project().settings, published_partition(run_inputs, partition)
    exported = export_split(
        state,
        layout(export.layout),
        export.options,
        settings.export_folder / export.name,
        taken=KeptPhotos(settings, export.options.split_order).before(partition),
        dropped=dropped_photos(state.split, settings.photo_root),
    )
    if not exported.pairs:
        raise UserError(f"the split `{partition}` has nothing to export: {dict(exported.left_out) or 'no row'}")
    return exported, read_back(exported.folder)


def _metadata(exported: Exported) -> dict[str, Any]:
    return {
        "dagster/row_count": exported.pairs,
        "path": dg.MetadataValue.path(str(exported.folder)),
        "layout": exported.layout,
        "card": dg.MetadataValue.md((exported.folder / README).read_text(encoding="utf-8")),
        "links": exported.linked,
        "files_written": exported.written,
        "changed": exported.changed,
        **{f"left_out_{reason.replace(' ', '_')}": count for reason, count in sorted(exported.left_out.items())},
    }


def _check(key: dg.AssetKey, found: ReadBack) -> dg.AssetCheckResult:
    faults: Sequence[dg.TableRecord] = [
        dg.TableRecord({"path": fault.path, "what": fault.what}) for fault in found.faults[:SHOWN]
    ]
    return dg.AssetCheckResult(
        check_name=READABLE,
        asset_key=key,
        passed=found.passed,
        metadata={
            "pairs": found.pairs,
            "files": found.files,
            "faults": len(found.faults),
            **_offsets(found),
            **({"examples": dg.MetadataValue.table(list(faults))} if faults else {}),
        },
    )


def _offsets(found: ReadBack) -> dict[str, float]:
    """Between target and condition, in pixels."""
    if not found.offsets:
        return {}
    return {"offset_median_px": round(median(found.offsets), 3), "offset_worst_px": round(max(found.offsets), 3)}
