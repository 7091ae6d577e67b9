"""Which runs a split has: whether one is under way, and which was the last."""

import dagster as dg

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_PARTITION = "dagster/partition"


def is_under_way(instance: dg.DagsterInstance, split: str) -> bool:
    """Whether a run of a split waits or works."""
    return instance.get_runs_count(dg.RunsFilter(tags={_PARTITION: split}, statuses=_UNFINISHED)) > 0


def latest_run(instance: dg.DagsterInstance, split: str) -> str | None:
    """The id of the run of a split that was made last; None: it has none."""
    return next((run.run_id for run in instance.get_runs(dg.RunsFilter(tags={_PARTITION: split}), limit=1)), None)
