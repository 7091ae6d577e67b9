"""The checks of rows: that they are counted completely, that the mapping has them, and that few of them failed."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from relight_assets.dataset.csv.read import OUTPUT_COLUMN
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.defs.checks.checked_split import CheckedSplit
from relight_assets.defs.checks.results import check_result, shown_faults
from relight_assets.engine.publish import StagedMapping
from relight_assets.engine.state.image_state import ROW_STATUSES
from relight_assets.quality.verify.csvs import mapping_faults


def check_rows(split: CheckedSplit) -> Iterator[dg.AssetCheckResult]:
    """`row_counts_reconcile` and `mapping_matches_input`."""
    counts = split.state.row_counts()
    rows = len(split.state.split.lines)
    named = _outputs_named(split.mapping)
    yield check_result(
        "row_counts_reconcile",
        passed=sum(counts[status] for status in ROW_STATUSES) == rows == len(named) and sum(named) == counts["done"],
        text=(
            f"{rows} rows, of which {', '.join(f'{counts[status]} {status}' for status in ROW_STATUSES)}; the mapping "
            f"has {len(named)} rows and {sum(named)} outputs."
        ),
        metadata={
            "rows": rows,
            "rows_in_mapping": len(named),
            "outputs_in_mapping": sum(named),
            **{f"rows_{status}": counts[status] for status in ROW_STATUSES},
        },
    )
    faults = list(mapping_faults(split.state, split.mapping.file, split.mapping.target))
    yield check_result(
        "mapping_matches_input",
        passed=not faults,
        text=(
            f"{len(faults)} faults in the mapping of {rows} rows; there may be none."
            f"{' Rows are stale: run the split again.' if any(fault.code == 'stale' for fault in faults) else ''}"
        ),
        metadata={"rows": rows, **shown_faults(faults)},
    )


def _outputs_named(mapping: StagedMapping) -> list[bool]:
    """For each row of the mapping as it was written, whether it names an output."""
    data = mapping.state.layout.storage.read(mapping.file) or b""
    header, *rows = csv_reader(data.decode("utf-8"))
    column = header.index(OUTPUT_COLUMN)
    return [bool(row[column]) for row in rows]


def check_up_to_date(name: str, split: CheckedSplit) -> dg.AssetCheckResult:
    """Whether no row is pending; what else a run would do has just been done when a mapping is checked."""
    counts = split.state.row_counts()
    to_do = f"{counts['pending']} rows are pending" if counts["pending"] else "nothing"
    return check_result(
        name,
        passed=not counts["pending"],
        text=f"What a run would have to do: {to_do}.",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"to_do": to_do, "unchecked_rows": split.state.unchecked_rows},
    )


def check_failure_rate(name: str, split: CheckedSplit) -> dg.AssetCheckResult:
    """Whether few enough rows failed."""
    counts = split.state.row_counts()
    share = counts["failed"] / max(1, counts.total())
    codes = Counter(image.failure.code for image in split.state.images.values() if image.failure is not None)
    return check_result(
        name,
        passed=share <= split.settings.max_failed_share,
        text=(
            f"{counts['failed']} of {counts.total()} rows failed, {share:.1%}; at most "
            f"{split.settings.max_failed_share:.1%} may."
        ),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed_share": round(share, 4), "failures_by_code": dict(codes)},
    )
