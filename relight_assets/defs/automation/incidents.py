"""What went wrong in a run that has ended, as a document: one sentence for people, and fields for programs."""

import html
import math
from datetime import datetime, timezone
from typing import Any

import dagster as dg

from relight_assets.defs.automation.run_requests import ATTEMPT, MAX_ATTEMPTS
from relight_assets.defs.checks.specs import DESCRIPTIONS
from relight_assets.defs.runs.run_locks import COMMAND, LAUNCHED_BY

LONGEST = 1000
"""Characters of a run's error that are reported."""
_ENDS = {dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS}


def failed_run(instance: dg.DagsterInstance, run: dg.DagsterRun, end: dg.EventLogEntry) -> dict[str, Any] | None:
    """The document about a run that failed; None where there is nothing to report.

    A run of the command line that was stopped is not reported: whoever did that knows.
    """
    event = end.get_dagster_event()
    reason = event.job_failure_data.failure_reason if event.job_failure_data else None
    stopped = reason is not None and reason.value == "UNEXPECTED_TERMINATION"
    if not _is_first(instance, end) or (stopped and run.tags.get(LAUNCHED_BY) == COMMAND):
        return None
    message = _message(instance, event, run.run_id)
    again = f" (attempt {run.tags[ATTEMPT]} of {MAX_ATTEMPTS})" if ATTEMPT in run.tags else ""
    if run.tags.get("dagster/will_retry") == "true":
        again = " (Dagster starts it again)"
    text = f"The run {run.run_id[:8]} of {_of_what(run)} failed{again}: {message}"
    return _document("run_failed", run, end, text) | {"message": message}


def failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun, end: dg.EventLogEntry) -> dict[str, Any] | None:
    """The document about the checks that failed in a run; None where none did."""
    if not _is_first(instance, end):
        return None
    evaluated = {
        (evaluation.asset_key, evaluation.check_name): evaluation  # the last one of each
        for entry in _events(instance, run.run_id, {dg.DagsterEventType.ASSET_CHECK_EVALUATION})
        for evaluation in [entry.get_dagster_event().asset_check_evaluation_data]
    }
    checks = [_check(evaluation) for evaluation in evaluated.values() if not evaluation.passed]
    if not checks:
        return None
    text = f"In the run {run.run_id[:8]} of {_of_what(run)}, {'; '.join(map(_sentence, checks))}."
    return _document("check_failed", run, end, text) | {"checks": checks}


def _document(event: str, run: dg.DagsterRun, end: dg.EventLogEntry, text: str) -> dict[str, Any]:
    return {
        "text": html.escape(text, quote=False),  # or a path such as <!channel> would be a command to Slack
        "event": event,
        "split": _split(run),
        "job": run.job_name,
        "run_id": run.run_id,
        "time": datetime.fromtimestamp(end.timestamp, timezone.utc).isoformat(timespec="seconds"),
    }


def _split(run: dg.DagsterRun) -> str | None:
    return run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start")


def _of_what(run: dg.DagsterRun) -> str:
    split = _split(run)
    return f"split `{split}`" if split else f"job `{run.job_name}`"


def _events(
    instance: dg.DagsterInstance, run_id: str, kinds: set[dg.DagsterEventType], limit: int | None = None
) -> list[dg.EventLogEntry]:
    return [record.event_log_entry for record in instance.get_records_for_run(run_id, None, kinds, limit).records]


def _is_first(instance: dg.DagsterInstance, end: dg.EventLogEntry) -> bool:
    """False for a run that ended before, such as one that was given up for dead and was not."""
    first = _events(instance, end.run_id, _ENDS, 1)
    return not first or first[0].timestamp == end.timestamp


def _message(instance: dg.DagsterInstance, event: dg.DagsterEvent, run_id: str) -> str:
    """The sentence of the step that failed, or else what Dagster says of the run."""
    for entry in _events(instance, run_id, {dg.DagsterEventType.STEP_FAILURE}, 1):
        failure = entry.get_dagster_event().step_failure_data
        if failure.user_failure_data is not None and failure.user_failure_data.description:
            return _cut(failure.user_failure_data.description)
        error = failure.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return _cut(error.message)
    failed = event.job_failure_data
    error = failed.error if failed is not None else None
    return _cut(f"{event.message or ''} {error.message if error is not None else ''}")


def _cut(text: str) -> str:
    words = text.strip()
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


def _check(evaluation: dg.AssetCheckEvaluation) -> dict[str, Any]:
    name = evaluation.check_name
    return {
        "name": name,
        "severity": evaluation.severity.value,
        "description": DESCRIPTIONS.get(name) or evaluation.description or "",
        "numbers": {key: value.value for key, value in evaluation.metadata.items() if _is_numbers(value.value)},
    }


def _is_numbers(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(map(_is_numbers, value.values()))
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _sentence(check: dict[str, Any]) -> str:
    flat: dict[str, Any] = {}
    for key, value in check["numbers"].items():
        flat |= value if isinstance(value, dict) else {key: value}
    numbers = ", ".join(f"{key} {value}" for key, value in flat.items())
    verb = "warns" if check["severity"] == "WARN" else "failed"
    return f"the check `{check['name']}` {verb}{f' ({numbers})' if numbers else ''}"
