"""Waiting for a free slot of the pool that the runs share."""

import time
from collections.abc import Callable

import dagster as dg

from relight_assets.defs.automation.dead_runs import close_abandoned_runs, pool_holders
from relight_assets.defs.dagster_internals import pool_limits
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.run_locks import Life


def wait_for_pool(instance: dg.DagsterInstance, report: Callable[[str], None]) -> None:
    """Wait until the pool of the image op has a free slot; ``report`` is given what it waits for, once.

    Dagster would wait by itself, but in a run that counts as started, at the cost of a whole core, and where the limit
    is 0 without a word.
    """
    reported = None
    while (found := _waits_for(instance)) is not None:
        what, sentence = found
        if what != reported:
            report(sentence)
            reported = what
        time.sleep(2)
        close_abandoned_runs(instance)


def _waits_for(instance: dg.DagsterInstance) -> tuple[object, str] | None:
    """What keeps a run from a slot, as a key by which one knows it again and as a sentence; None where nothing does."""
    limits = pool_limits(instance)
    if OWN.pool not in limits:
        return None  # somebody's own instance, which limits nothing
    if limits[OWN.pool] == 0:
        return 0, (
            f"the pool `{OWN.pool}` has limit 0, so that no run gets the devices: set it in the UI (`relight dev`) "
            "under Deployment > Concurrency. Waiting; Ctrl-C stops"
        )
    holders = pool_holders(instance)
    if len(holders) < limits[OWN.pool]:
        return None
    advice = (
        ". If it hangs, end it with Ctrl-C where it was started, or with Terminate in the UI, under Runs"
        if any(state.found.life is Life.AT_WORK for state in holders)
        else ""
    )
    return (
        [(state.run_id, state.found.life, state.status) for state in holders],
        "; ".join(f"waiting for {state.name}, which has the devices: {state.condition}" for state in holders) + advice,
    )
