"""``relight status``: done, failed and pending rows of each split."""

import sys
import time
from contextlib import suppress

import click
from rich.live import Live

from relight_assets.cli.terminal.counting_bar import counting_bar
from relight_assets.cli.terminal.messages import out, print_line
from relight_assets.cli.terminal.status_table import status_of
from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.exit_codes import exit_code


@click.command()
@click.option("--watch", is_flag=True, help="Keep showing, every two seconds, until Ctrl-C.")
@click.option(
    "--trust-state",
    is_flag=True,
    help="Believe what the state beside the records has of finished images, without a look at their photos and files.",
)
@click.pass_obj
def status(source: ProjectSource, watch: bool, trust_state: bool) -> None:
    """Done, failed and pending rows per split; rate and time to go while a run is on."""
    project = source.context()
    with counting_bar("splits") as steps:
        now = status_of(project.settings, project.recipe, steps, trust=trust_state)
    if watch:
        with Live(now, console=out, auto_refresh=False) as live, suppress(KeyboardInterrupt):
            while True:
                time.sleep(2)
                now = status_of(project.settings, project.recipe, trust=trust_state)
                live.update(now, refresh=True)
    else:
        out.print(now.table)
        for problem in now.problems:
            print_line(problem)
    sys.exit(exit_code(now.errors, done=now.done))
