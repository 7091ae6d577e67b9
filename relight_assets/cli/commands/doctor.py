"""``relight doctor``: what a run will find on this machine."""

import click

from relight_assets.cli.options import ENGINE, RAY_ADDRESS, select_engine
from relight_assets.cli.terminal.messages import print_field, print_line, print_message
from relight_assets.config.project import ProjectSource
from relight_assets.doctor.machine import examine
from relight_assets.errors import UserError


@click.command()
@ENGINE
@RAY_ADDRESS
@click.pass_obj
def doctor(source: ProjectSource, engine: str | None, ray_address: str | None) -> None:
    """What this machine has for a run with the project's recipe, what is missing, and what to change.

    With the engine `ray`, what each node of the cluster has.
    """
    project = select_engine(source.context(), engine, ray_address)
    findings = examine(project.recipe, project.settings, source.environ, source.unknown_variables)
    for finding in findings:
        print_field(finding.topic, finding.text)
        if finding.advice:
            print_message("advice", "yellow", finding.advice)
    blocked = dict.fromkeys(finding.topic for finding in findings if finding.blocks)
    if blocked:
        raise UserError(f"a run cannot start before this is mended: {', '.join(blocked)}")
    print_line("a run can start")
