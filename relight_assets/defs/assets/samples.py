"""The label table of a split as an asset, downstream of its mapping."""

from typing import Any

import dagster as dg

from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import locked_partition
from relight_assets.defs.resources import as_dagster_failure, inputs_of
from relight_assets.exports.rows.labels import columns, types
from relight_assets.exports.samples import Samples, write_samples

_TYPES = {str: "string", int: "int", float: "float", bool: "bool"}


def samples_asset(names: Names = OWN) -> dg.AssetsDefinition:
    """The asset `samples`."""

    @dg.asset(
        key=names.key("samples"),
        deps=[names.mapping],
        partitions_def=names.splits,
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        kinds={"csv"},
        code_version="2",
        description=(
            "A row for each finished pair, with every label: files, sizes, sha256, family and direction of the light, "
            "the photo's own light, caption, licence, seed and every metric of the records. Written to `samples.csv` "
            "in the split's folder, and to `samples.parquet` where pyarrow is installed."
        ),
    )
    def samples(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        run_inputs = inputs_of(context, names)
        with as_dagster_failure():
            with locked_partition(run_inputs, context.partition_key) as state:
                settings = run_inputs.project().settings
            written = write_samples(state, settings.licence_column)
        return dg.MaterializeResult(metadata=_metadata(written))

    return samples


def _metadata(written: Samples) -> dict[str, Any]:
    schema = dg.TableSchema([dg.TableColumn(name, _TYPES[types()[name]]) for name in columns()])
    parquet = {"path_of_parquet": dg.MetadataValue.path(str(written.parquet))} if written.parquet is not None else {}
    return {
        "dagster/row_count": written.rows,
        "dagster/column_schema": schema,
        "path": dg.MetadataValue.path(str(written.csv)),
        **parquet,
    }
