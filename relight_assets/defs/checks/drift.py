"""The check for means of recorded metrics that moved since the split was materialized before."""

import dagster as dg

from relight_assets.defs.checks.checked_split import CheckedSplit
from relight_assets.defs.checks.results import check_result
from relight_assets.defs.checks.specs import MAX_DRIFT
from relight_assets.quality.statistics import drift, spreads


def check_drift(name: str, split: CheckedSplit) -> dg.AssetCheckResult:
    """Whether no mean has moved far."""
    records = split.records(split.state)
    now, note = spreads(records.statistics), records.sample.note
    moved = {name: round(drift(split.before[name], now[name]), 3) for name in now if name in split.before}
    far = [name for name, deviations in moved.items() if deviations > MAX_DRIFT]
    rows = [
        dg.TableRecord(
            {
                "number": name,
                "mean_before": round(split.before[name].mean, 4),
                "mean_now": round(now[name].mean, 4),
                "moved_by_deviations": moved[name],
            }
        )
        for name in far
    ]
    return check_result(
        name,
        passed=not far,
        text=(
            f"Of {len(moved)} means the one that moved most did so by {max(moved.values(), default=0.0):.2f} standard "
            f"deviations; at most {MAX_DRIFT:g} are allowed."
            f"{f' The means are {note}.' if note else ''}"
        ),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "largest_move": max(moved.values(), default=0.0),
            "compared": len(moved),
            **({"moved": dg.MetadataValue.table(rows)} if rows else {}),
        },
    )
