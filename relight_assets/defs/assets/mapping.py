"""The CSVs that go out: the mapping to the composites, and the rows that have none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import dagster as dg

from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import best_effort
from relight_assets.dataset.csv.mapping import FailureRow
from relight_assets.dataset.csv.read import OUTPUT_COLUMN
from relight_assets.defs.checks.checked_split import SplitRecords
from relight_assets.defs.checks.mapping_checks import check_split
from relight_assets.defs.checks.specs import specs_of
from relight_assets.defs.metadata.previews import inline
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import locked_partition, publish
from relight_assets.defs.resources import RunInputs, as_dagster_failure, inputs_of
from relight_assets.engine.publish import failures_path, write_split_failures
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import ForgottenError, ImageError
from relight_assets.imaging.decode import decode
from relight_assets.quality.statistics import Spread, spreads
from relight_assets.reports.contact_sheets import photo_sheet
from relight_assets.stages.base import Stage

SPREADS = "spreads"
"""Of the numbers in the records: what the next materialization compares with."""
_SPREADS_SCHEMA = dg.TableSchema(
    [dg.TableColumn("number", "string"), *(dg.TableColumn(name, "float") for name in ("images", "mean", "deviation"))]
)
ROWS_SHOWN = 10
"""Of the mapping."""
PHOTOS_SHOWN = 12
"""Of the failures; decoding one takes up to half a second."""
FAILURES_SHOWN = 50
PATH_SHOWN = 26
"""Characters of a path in a table: so many fit into a window of 1,280 pixels."""


def mapping_asset(stages: Sequence[Stage], names: Names = OWN) -> dg.AssetsDefinition:
    """The asset `mapping_csv`, downstream of the assets of these stages, with its checks."""

    @dg.asset(
        key=names.mapping,
        # All: with some unselected, it must still come after the others.
        deps=[names.split_csv, *map(names.key, stages)],
        partitions_def=names.splits,
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        kinds={"csv", "pandas"},
        check_specs=specs_of(names),
        code_version="1",
        description=(
            "The input's rows and columns, in order, and `output_image_path`: the absolute path of the composite (the "
            "model's input; `image_path` is its target), empty unless all stages of that image are current. "
            "Written to `<name>_with_relighting_outputs.csv` if no blocking check fails; the input CSV stays as it is."
        ),
    )
    def mapping_csv(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        yield from _write_mapping(context, inputs_of(context, names), names)

    return mapping_csv


def _write_mapping(
    context: dg.AssetExecutionContext, run_inputs: RunInputs, names: Names
) -> Iterator[dg.MaterializeResult[Any]]:
    """Write the mapping of one split; it takes the place of the one before if no blocking check fails."""
    with as_dagster_failure():
        project = run_inputs.project()
        settings, loaded = project.settings, project.loaded
        split = run_inputs.split(context.partition_key)
        warn = Warnings(context.log)
        before = spreads_before(context.instance, context.partition_key, warn, names)
        records = cache(SplitRecords.of)  # read once, for the checks and for the metadata
        check = partial(check_split, loaded=loaded, settings=settings, before=before, warn=warn, records=records)
        published = publish(split, loaded, settings, check=check, known=run_inputs.states.get(split.split))
    state = run_inputs.states[split.split] = published.state
    if state.unchecked_rows:
        context.log.warning(
            f"{split.split}: {state.unchecked_rows} rows have no output in the mapping, because files have other "
            f"times than were recorded; a run of `masks` hashes them"
        )
    columns = [*state.split.columns, OUTPUT_COLUMN]
    counts = state.row_counts()
    yield dg.MaterializeResult(
        check_results=published.checks,
        metadata={
            "dagster/row_count": len(state.keys),
            **warn.part("the columns", lambda: {"dagster/column_schema": _schema(columns)}),
            "path": dg.MetadataValue.path(str(published.staged.target)),
            "published": published.done,
            **(
                {"path_of_variants": dg.MetadataValue.path(str(published.staged.variants_target))}
                if state.variants > 1
                else {}
            ),
            "rows_with_output": sum(output is not None for output in state.outputs()),
            **{f"rows_{status}": counts[status] for status in ROW_STATUSES},
            **warn.part("the first rows", lambda: {"first_rows": _preview(state)}),
            **warn.part(
                "the lineage of the columns", lambda: {"dagster/column_lineage": _lineage(state, names.split_csv)}
            ),
            **warn.part("the spreads of the numbers", lambda: {SPREADS: _table(spreads(records(state).statistics))}),
            **warn.metadata,
        },
    )


def _schema(names: Sequence[str]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, "string", description=_COLUMNS.get(name)) for name in names])


def _lineage(state: SplitState, origin: dg.AssetKey) -> dg.TableColumnLineage:
    """Every column is that of the input; the composites come from the photos."""
    of = {name: [dg.TableColumnDep(origin, name)] for name in state.split.columns}
    return dg.TableColumnLineage({**of, OUTPUT_COLUMN: [dg.TableColumnDep(origin, "image_path")]})


def _table(found: dict[str, Spread]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {"number": name, "images": s.images, "mean": round(s.mean, 6), "deviation": round(s.deviation, 6)}
        )
        for name, s in found.items()
    ]
    return dg.MetadataValue.table(records, _SPREADS_SCHEMA)


def _spread(row: Mapping[str, Any]) -> Spread:
    return Spread(int(row["images"]), float(row["mean"]), float(row["deviation"]))


def spreads_before(instance: dg.DagsterInstance, split: str, warn: Warnings, names: Names = OWN) -> dict[str, Spread]:
    """How the numbers of a partition were spread when it was materialized last; empty if it never was."""
    which = dg.AssetRecordsFilter(asset_key=names.mapping, asset_partitions=[split])
    with best_effort("the comparison with the numbers of the run before", warn):
        for record in instance.fetch_materializations(which, limit=1).records:
            kept = record.asset_materialization.metadata.get(SPREADS) if record.asset_materialization else None
            with suppress(LookupError, TypeError, ValueError):  # of another version
                rows = kept.records if isinstance(kept, dg.TableMetadataValue) else []
                return {str(row.data["number"]): _spread(row.data) for row in rows}
    return {}


_COLUMNS = {
    "image_path": "The original photo: the training target.",
    "output_image_path": "The degraded composite: the training input. Empty where there is none.",
}


def failures_asset(stages: Sequence[Stage], names: Names = OWN) -> dg.AssetsDefinition:
    """The asset `dead_letters`, downstream of the assets of these stages."""

    @dg.asset(
        key=names.key("dead_letters"),
        deps=[names.split_csv, *map(names.key, stages)],
        partitions_def=names.splits,
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        kinds={"csv"},
        code_version="1",
        description=(
            "Every row that failed or was rejected, with its line in the input, its code, stage and message; a header "
            "alone where all went well. Written to `<name>_failures.csv`."
        ),
    )
    def dead_letters(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        return _write_failures(context, inputs_of(context, names))

    return dead_letters


def _write_failures(context: dg.AssetExecutionContext, run_inputs: RunInputs) -> dg.MaterializeResult[Any]:
    """Write the failures of one split."""
    with as_dagster_failure():
        settings = run_inputs.project().settings
        with locked_partition(run_inputs, context.partition_key) as state:
            rows = write_split_failures(state, settings)
    warn = Warnings(context.log)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "path": dg.MetadataValue.path(str(failures_path(state, settings))),
            **(warn.part("the table of failures", lambda: {"failures": _failures(rows)}) if rows else {}),
            **warn.part("the photos of the failures", partial(_photos, state, settings, context)),
            **warn.metadata,
        }
    )


def _photos(state: SplitState, settings: Settings, context: dg.AssetExecutionContext) -> dict[str, Any]:
    """The first photos that failed or were rejected, under number and code; dark where one cannot be decoded."""
    failed = [image for image in state.images.values() if image.failure is not None][:PHOTOS_SHOWN]
    photos = [
        (f"{image.index or 0:05d} {image.failure.code}"[:16], _decoded(image.file, settings))
        for image in failed
        if image.failure is not None and image.failure.code != ForgottenError.code
    ]
    sheet = photo_sheet(photos)
    if sheet is None:
        return {}
    name = f"{state.split.split}-failures"
    return {"photos": inline(sheet, "jpg", context.instance, context.run.run_id, name)}


def _decoded(file: Path | None, settings: Settings) -> Any:
    if file is None:
        return None
    try:
        return decode(file, image_size=256, max_pixels=settings.max_pixels, image_root=settings.photo_root).rgb
    except ImageError:
        return None


def _preview(state: SplitState) -> dg.TableMetadataValue:
    """The first pairs of the mapping, in what a window of 1,280 pixels shows; the other columns are the CSV's own."""
    cells = state.split.columns["image_path"][:ROWS_SHOWN]
    records = [
        dg.TableRecord({"image_path": _fitting(cell), OUTPUT_COLUMN: "" if output is None else output.name})
        for cell, output in zip(cells, state.outputs(), strict=False)
    ]
    names = ("image_path", OUTPUT_COLUMN)
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name, "string") for name in names]))


def _failures(rows: Sequence[FailureRow]) -> dg.TableMetadataValue:
    """The first failures.  The UI breaks lines at spaces alone, so code and stage begin the reason."""
    shown = [
        dg.TableRecord(
            {"line": r.line, "reason": f"{r.code} ({r.stage}): {r.message}", "image_path": _fitting(r.image_path)}
        )
        for r in rows[:FAILURES_SHOWN]
    ]
    columns = [dg.TableColumn("line", "int"), *(dg.TableColumn(name, "string") for name in ("reason", "image_path"))]
    return dg.MetadataValue.table(shown, dg.TableSchema(columns))


def _fitting(path: str) -> str:
    """The end of a path, which the UI shows on one line: a word joiner keeps it from a break behind the dots."""
    return path if len(path) <= PATH_SHOWN else f"…\u2060{path[2 - PATH_SHOWN :]}"
