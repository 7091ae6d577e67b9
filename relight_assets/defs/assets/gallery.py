"""The gallery of a split as an asset, downstream of its mapping."""

from typing import Any

import dagster as dg

from relight_assets.defs.names import OWN, Names
from relight_assets.defs.publishing import locked_partition
from relight_assets.defs.resources import as_dagster_failure, inputs_of
from relight_assets.defs.server.gallery_files import gallery_address
from relight_assets.reports.gallery.gallery import Gallery, write_gallery


def gallery_asset(names: Names = OWN) -> dg.AssetsDefinition:
    """The asset `gallery`."""

    @dg.asset(
        key=names.key("gallery"),
        deps=[names.mapping],
        partitions_def=names.splits,
        group_name=names.of("relight"),
        required_resource_keys={names.run_inputs},
        kinds={"html"},
        code_version="1",
        description=(
            "A page that shows every pair of a split, target beside condition: sort and filter by every label, compare "
            "at 1:1, and keep or drop photos with a reason, downloaded as the review that exports obey. Photos that "
            "failed or were rejected are there with their reason. Written to `gallery/index.html` in the split's "
            "folder; it is a file, and works without a server."
        ),
    )
    def gallery(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        run_inputs = inputs_of(context, names)
        with as_dagster_failure():
            with locked_partition(run_inputs, context.partition_key) as state:
                project = run_inputs.project()
            written = write_gallery(state, project.settings, project.quality)
        # A host's web server is its own, and serves no galleries.
        address = None if names.prefix else gallery_address(written.page, project.settings.output_root)
        return dg.MaterializeResult(metadata=_metadata(written, address))

    return gallery


def _metadata(written: Gallery, address: str | None) -> dict[str, Any]:
    return {
        "dagster/row_count": written.pairs,
        **({"open": dg.MetadataValue.url(address)} if address is not None else {}),
        "path": dg.MetadataValue.path(str(written.page)),
        "failed_or_rejected": written.unfinished,
        "size_mib": round(written.size / (1 << 20), 2),
        **({"notes": dg.MetadataValue.md("\n\n".join(written.notes))} if written.notes else {}),
    }
