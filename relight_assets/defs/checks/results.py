"""The results of checks: their metadata, and what a check that only warns gives when it raises."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from relight_assets.core.best_effort import Warn, best_effort
from relight_assets.defs.names import Names
from relight_assets.quality.verify.csvs import Fault

SHOWN = 20
"""Examples in a result."""


def check_result(
    name: str,
    *,
    passed: bool,
    text: str,
    metadata: dict[str, Any],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """The result of one check on the mapping; ``text``: what was found and what is wanted, in one sentence."""
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, description=text, metadata=metadata)


def evaluation_of(result: dg.AssetCheckResult, split: str, names: Names) -> dg.AssetCheckEvaluation:
    """A result as a job logs it that materializes nothing."""
    return dg.AssetCheckEvaluation(
        asset_key=names.mapping,
        check_name=str(result.check_name),
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
        partition=split,
    )


def advisory(name: str, make: Callable[[str], dg.AssetCheckResult], warn: Warn) -> dg.AssetCheckResult:
    """The result of a check that does not block, whatever becomes of it."""
    messages: list[str] = []
    with best_effort(f"the check `{name}`", messages.append):
        return make(name)
    warn(messages[0])
    text = f"The check could not be made: {messages[0]}"
    return check_result(
        name, passed=False, text=text, severity=dg.AssetCheckSeverity.WARN, metadata={"not_made": messages[0]}
    )


def shown_faults(faults: list[Fault]) -> dict[str, Any]:
    """How many faults there are, and the first of them as a table."""
    if not faults:
        return {"faults": 0}
    records = [dg.TableRecord({"code": f.code, "file": str(f.file), "text": f.text}) for f in faults[:SHOWN]]
    return {"faults": len(faults), "examples": dg.MetadataValue.table(records)}
