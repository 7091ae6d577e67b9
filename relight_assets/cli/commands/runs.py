"""``relight runs``: which runs have not ended, and freeing what one holds whose process is gone."""

import click

from relight_assets.cli.dagster_runs import known_warnings_off
from relight_assets.cli.terminal.messages import print_line
from relight_assets.config.project import ProjectSource


@click.group()
def runs() -> None:
    """Runs that have not ended: who is at work, and what a dead one still holds."""


@runs.command("list")
@click.pass_obj
def list_runs(source: ProjectSource) -> None:
    """The runs that count as running or hold the devices, and what is known of their processes."""
    with known_warnings_off():
        from relight_assets.defs.automation.dead_runs import unfinished_runs  # noqa: PLC0415  (Dagster is slow)
        from relight_assets.defs.runs.instance import opened_instance  # noqa: PLC0415
    notices: list[str] = []
    with opened_instance(source.settings(), source.folder(), notices.append) as instance:
        states = unfinished_runs(instance)
    for sentence in dict.fromkeys([*notices, *map(str, states)]):
        print_line(sentence)
    if not states:
        print_line("every run has ended")


@runs.command("release")
@click.argument("run_id", metavar="ID")
@click.pass_obj
def release_run(source: ProjectSource, run_id: str) -> None:
    """Mark a run as failed whose process is gone, and free what it holds.

    For runs of another host, or of another boot, of which no command can know whether they live.  A run that is at
    work on this machine is refused.
    """
    with known_warnings_off():
        from relight_assets.defs.automation.dead_runs import release  # noqa: PLC0415  (Dagster is slow)
        from relight_assets.defs.runs.instance import opened_instance  # noqa: PLC0415
    with opened_instance(source.settings(), source.folder(), print_line) as instance:
        print_line(release(instance, run_id))
