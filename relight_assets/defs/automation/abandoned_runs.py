"""The sensor that marks runs whose process is gone as failed."""

import dagster as dg

from relight_assets.defs.automation.dead_runs import close_abandoned_runs, runs_left_alone
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.runs.history import history_errors

CLOSE_EVERY_S = 30


@dg.sensor(
    minimum_interval_seconds=CLOSE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Marks runs whose process is gone as failed, so that they no longer keep the devices from others. Starts "
        "nothing; a run that waits, is about to start or is at work is left alone."
    ),
)
def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Close the runs that are dead; which they were is the tick's reason."""
    with history_errors(home_of(context.instance)):
        closed = close_abandoned_runs(context.instance)
        unsure = [str(state) for state in runs_left_alone(context.instance)]
    for run_id in closed:
        context.log.warning(f"the process of run {run_id} is gone; the run is marked as failed")
    reason = f"closed, because their process is gone: {', '.join(closed)}" if closed else "no run is dead"
    return dg.SkipReason("; ".join([reason, *unsure]))
