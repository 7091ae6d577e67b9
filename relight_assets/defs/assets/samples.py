"""The label table of a split as an asset, downstream of its mapping."""

from typing import Any

import dagster as dg

from relight_assets.defs.assets.splits import splits
from relight_assets.defs.checks.specs import MAPPING
from relight_assets.defs.publishing import locked_partition
from relight_assets.defs.resources import RunInputs, as_dagster_failure
from relight_assets.exports.rows.labels import columns, types
from relight_assets.exports.samples import Samples, write_samples

_TYPES = {str: "string", int: "int", float: "float", bool: "bool"}


@dg.asset(
    deps=[MAPPING],
    partitions_def=splits,
    kinds={"csv"},
    code_version="2",
    description=(
        "A row for each finished pair, with every label: files, sizes, sha256, family and direction of the light, the "
        "photo's own light, caption, licence, seed and every metric of the records. Written to `samples.csv` in the "
        "split's folder, and to `samples.parquet` where pyarrow is installed."
    ),
)
def samples(context: dg.AssetExecutionContext, run_inputs: dg.ResourceParam[RunInputs]) -> dg.MaterializeResult[Any]:
    """Write the label table of one split."""
    with as_dagster_failure():
        with locked_partition(run_inputs, context.partition_key) as state:
            settings = run_inputs.project().settings
        written = write_samples(state, settings.licence_column)
    return dg.MaterializeResult(metadata=_metadata(written))


def _metadata(written: Samples) -> dict[str, Any]:
    schema = dg.TableSchema([dg.TableColumn(name, _TYPES[types()[name]]) for name in columns()])
    parquet = {"path_of_parquet": dg.MetadataValue.path(str(written.parquet))} if written.parquet is not None else {}
    return {
        "dagster/row_count": written.rows,
        "dagster/column_schema": schema,
        "path": dg.MetadataValue.path(str(written.csv)),
        **parquet,
    }
