"""Which runs a split has: whether one is under way, and which was the last."""

import dagster as dg

from relight_assets.defs.names import OWN, Names

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_PARTITION = "dagster/partition"
_PAGE = 20
"""Runs read at once: another project may have runs of a split of the same name."""


def is_under_way(instance: dg.DagsterInstance, split: str, names: Names = OWN) -> bool:
    """Whether a run of a split waits or works."""
    runs = instance.get_runs(dg.RunsFilter(tags={_PARTITION: split}, statuses=_UNFINISHED))
    return any(map(names.owns, runs))


def latest_run(instance: dg.DagsterInstance, split: str, names: Names = OWN) -> str | None:
    """The id of the run of a split that was made last; None: it has none."""
    before = None
    while True:
        runs = instance.get_runs(dg.RunsFilter(tags={_PARTITION: split}), cursor=before, limit=_PAGE)
        own = next(filter(names.owns, runs), None)
        if own is not None or len(runs) < _PAGE:
            return own.run_id if own is not None else None
        before = runs[-1].run_id
