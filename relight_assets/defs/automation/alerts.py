"""What went wrong is posted to a webhook: runs that failed, and checks that failed in runs of either end.

The sensors look at the ends of runs themselves.  Dagster's run failure sensor goes on to the next run whatever became
of the first, and sees one of the two ends; here a failure that could not be reported waits for a later tick.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import dagster as dg

from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import best_effort
from relight_assets.defs.automation.incidents import failed_checks, failed_run
from relight_assets.defs.automation.webhook import WebhookAwayError, WebhookError, host_of, post
from relight_assets.defs.names import OWN, Names

TICK_S = 15
PER_TICK = 5
"""Alerts in one tick at most: other sensors wait meanwhile."""
LATER_S = 30.0
"""Until a webhook that was away is tried again; twice that after the second time, and so on."""
LATEST_S = 3600.0
MAX_AGE_S = 86400.0
"""What ended longer ago is not reported: a sensor that was off for weeks does not begin with all of them."""
_FETCHED = 50
_NO_WEBHOOK = (
    "There is no webhook to tell. Set RELIGHT_ALERT_WEBHOOK to its URL in the environment and start Dagster again."
)
_End = Literal[dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS]
_Ends = tuple[_End, ...]
_Describe = Callable[[dg.DagsterInstance, dg.DagsterRun, dg.EventLogEntry], dict[str, Any] | None]


@dataclass
class _Memory:
    """What a sensor keeps from tick to tick, in its cursor."""

    dealt_with: dict[str, int] = field(default_factory=dict)
    """By kind of event, the last one."""
    away: int = 0
    """How many times in a row the webhook was away."""
    not_before: float = 0.0
    """When to try it again, in seconds since 1970."""

    @classmethod
    def of(cls, cursor: str | None) -> "_Memory":
        try:
            return cls(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            return cls()  # of another version

    def put_off(self) -> None:
        """Leave the webhook alone for a while."""
        self.not_before = time.time() + min(LATEST_S, LATER_S * 2 ** min(self.away, 10))
        self.away += 1

    def cursor(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def sensors_of(source: ProjectSource, settings: Settings, names: Names = OWN) -> list[dg.SensorDefinition]:
    """The sensors that send alerts, running from the start where there is a webhook; their ticks read ``source``."""
    posts = "Posts a JSON document to the webhook of RELIGHT_ALERT_WEBHOOK for every run"
    return [
        _sensor(
            "alert_run_failed",
            failed_run,
            (dg.DagsterEventType.RUN_FAILURE,),
            description=f"{posts} that failed. A cancelled run sends no alert.",
            source=source,
            settings=settings,
            names=names,
        ),
        _sensor(
            "alert_check_failed",
            failed_checks,
            (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS),
            description=f"{posts} in which checks failed, whether they stopped it or only warn.",
            source=source,
            settings=settings,
            names=names,
        ),
    ]


def _sensor(
    name: str,
    describe: _Describe,
    ends: _Ends,
    *,
    description: str,
    source: ProjectSource,
    settings: Settings,
    names: Names,
) -> dg.SensorDefinition:
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        url = source.settings().alert_webhook
        if url is None:
            return dg.SkipReason(_NO_WEBHOOK)
        return _send_alerts(context, url.get_secret_value(), describe, ends, names)

    on = settings.alert_webhook is not None
    return dg.SensorDefinition(
        name=names.of(name),
        evaluation_fn=evaluate,
        minimum_interval_seconds=TICK_S,
        default_status=dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED,
        description=description,
    )


def _send_alerts(
    context: dg.SensorEvaluationContext, url: str, describe: _Describe, ends: _Ends, names: Names
) -> dg.SensorResult | dg.SkipReason:
    memory = _Memory.of(context.cursor)
    if time.time() < memory.not_before:
        return dg.SkipReason(f"the webhook at {host_of(url)} was away; it is tried again later")
    _begin(context.instance, memory, ends)
    sent: list[str] = []
    fault: WebhookError | None = None
    for end, record in _ended(context.instance, memory, ends):
        document: dict[str, Any] | None = None
        # One run about which no alert can be made must not keep back those about the others for ever.
        with best_effort(f"an alert about run {record.run_id}", context.log.error):
            document = _document(context.instance, record, describe, names)
        if document is not None and len(sent) == PER_TICK:
            break
        try:
            if document is not None:
                post(url, document)
                sent.append(record.run_id)
                memory.away = 0
        except WebhookAwayError as error:
            fault = error
            memory.put_off()
            break
        except WebhookError as error:
            fault = error  # it is dealt with all the same
        memory.dealt_with[end.value] = record.storage_id
        if fault is not None:
            break  # one that is slow holds up the other sensors no longer
    reasons = [f"reported to {host_of(url)}: {', '.join(sent)}"] if sent else []
    if fault is not None:
        reasons.append(f"run {record.run_id}: {fault}")
        context.log.error(reasons[-1])
    return dg.SensorResult(skip_reason=dg.SkipReason("; ".join(reasons) or "nothing to report"), cursor=memory.cursor())


def _begin(instance: dg.DagsterInstance, memory: _Memory, ends: _Ends) -> None:
    """At its first tick a sensor has dealt with all that there is."""
    for end in ends:
        if end.value not in memory.dealt_with:
            last = instance.fetch_run_status_changes(end, limit=1).records
            memory.dealt_with[end.value] = last[0].storage_id if last else -1


def _ended(instance: dg.DagsterInstance, memory: _Memory, ends: _Ends) -> Iterator[tuple[_End, dg.EventLogRecord]]:
    for end in ends:
        since = dg.RunStatusChangeRecordsFilter(end, after_storage_id=memory.dealt_with[end.value])
        for record in instance.fetch_run_status_changes(since, limit=_FETCHED, ascending=True).records:
            yield end, record


def _document(
    instance: dg.DagsterInstance, record: dg.EventLogRecord, describe: _Describe, names: Names
) -> dict[str, Any] | None:
    if time.time() - record.timestamp > MAX_AGE_S:
        return None
    run = instance.get_run_by_id(record.run_id)
    return None if run is None or not names.owns(run) else describe(instance, run, record.event_log_entry)
