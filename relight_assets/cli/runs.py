"""``relight runs``: which runs have not ended, and freeing what one holds whose process is gone."""

import click

from relight_assets.cli.dagster_runs import dagster_part
from relight_assets.cli.terminal import say
from relight_assets.config.settings import load_settings


@click.group()
def runs() -> None:
    """Runs that have not ended: who is at work, and what a dead one still holds."""


@runs.command("list")
def list_runs() -> None:
    """The runs that count as running or hold the devices, and what is known of their processes."""
    dead_runs = dagster_part("defs.automation.dead_runs")
    told: list[str] = []
    with dagster_part("defs.runs.launch").opened_instance(load_settings(), told.append) as instance:
        states = dead_runs.unfinished_runs(instance)
    for sentence in dict.fromkeys([*told, *map(str, states)]):
        say(sentence)
    if not states:
        say("every run has ended")


@runs.command("release")
@click.argument("run_id", metavar="ID")
def release_run(run_id: str) -> None:
    """Mark a run as failed whose process is gone, and free what it holds.

    For runs of another host, or of another boot, of which no command can know whether they live.  A run that is at
    work on this machine is refused.
    """
    dead_runs = dagster_part("defs.automation.dead_runs")
    with dagster_part("defs.runs.launch").opened_instance(load_settings(), say) as instance:
        say(dead_runs.release(instance, run_id))
