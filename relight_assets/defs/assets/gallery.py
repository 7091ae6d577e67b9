"""The gallery of a split as an asset, downstream of its mapping."""

from pathlib import Path
from typing import Any

import dagster as dg

from relight_assets.defs.assets.splits import splits
from relight_assets.defs.checks.specs import MAPPING
from relight_assets.defs.publishing import locked_partition
from relight_assets.defs.resources import RunInputs, as_dagster_failure
from relight_assets.defs.server.gallery_files import gallery_address
from relight_assets.reports.gallery.gallery import Gallery, write_gallery


@dg.asset(
    deps=[MAPPING],
    partitions_def=splits,
    kinds={"html"},
    code_version="1",
    description=(
        "A page that shows every pair of a split, target beside condition: sort and filter by every label, compare at "
        "1:1, and keep or drop photos with a reason, downloaded as the review that exports obey. Photos that failed or "
        "were rejected are there with their reason. Written to `gallery/index.html` in the split's folder; it is a "
        "file, and works without a server."
    ),
)
def gallery(context: dg.AssetExecutionContext, run_inputs: dg.ResourceParam[RunInputs]) -> dg.MaterializeResult[Any]:
    """Write the gallery of one split."""
    with as_dagster_failure():
        with locked_partition(run_inputs, context.partition_key) as state:
            project = run_inputs.project()
        written = write_gallery(state, project.settings, project.quality)
    return dg.MaterializeResult(metadata=_metadata(written, project.settings.output_root))


def _metadata(written: Gallery, output_root: Path) -> dict[str, Any]:
    address = gallery_address(written.page, output_root)
    return {
        "dagster/row_count": written.pairs,
        **({"open": dg.MetadataValue.url(address)} if address is not None else {}),
        "path": dg.MetadataValue.path(str(written.page)),
        "failed_or_rejected": written.unfinished,
        "size_mib": round(written.size / (1 << 20), 2),
        **({"notes": dg.MetadataValue.md("\n\n".join(written.notes))} if written.notes else {}),
    }
