"""The sensor that marks runs whose process is gone as failed."""

import dagster as dg

from relight_assets.defs.automation.dead_runs import close_abandoned_runs, runs_left_alone
from relight_assets.defs.dagster_internals import home_of
from relight_assets.defs.names import OWN, Names
from relight_assets.defs.runs.history import history_errors

CLOSE_EVERY_S = 30


def abandoned_runs_sensor(names: Names = OWN) -> dg.SensorDefinition:
    """The sensor `abandoned_runs`."""

    @dg.sensor(
        name=names.of("abandoned_runs"),
        minimum_interval_seconds=CLOSE_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Marks runs whose process is gone as failed, so that they no longer keep the devices from others. Starts "
            "nothing; a run that waits, is about to start or is at work is left alone."
        ),
    )
    def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return _close(context, names)

    return abandoned_runs


def _close(context: dg.SensorEvaluationContext, names: Names) -> dg.SkipReason:
    """Close the runs that are dead; which they were is the tick's reason."""
    with history_errors(home_of(context.instance)):
        closed = close_abandoned_runs(context.instance, names)
        # Among other people's runs one without a lock is no sign of anything.
        unsure = [] if names.prefix else [str(state) for state in runs_left_alone(context.instance)]
    for run_id in closed:
        context.log.warning(f"the process of run {run_id} is gone; the run is marked as failed")
    reason = f"closed, because their process is gone: {', '.join(closed)}" if closed else "no run is dead"
    return dg.SkipReason("; ".join([reason, *unsure]))
