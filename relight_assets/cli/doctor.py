"""``relight doctor``: what a run will find on this machine."""

import click

from relight_assets.cli.terminal import line, say, tell
from relight_assets.config.settings import load_project_recipe, load_settings
from relight_assets.doctor.machine import examine
from relight_assets.errors import UserError


@click.command()
@click.pass_obj
def doctor(unknown_variables: list[str]) -> None:
    """What this machine has for a run with the project's recipe, what is missing, and what to change."""
    findings = examine(load_project_recipe().recipe, load_settings(), unknown_variables)
    for finding in findings:
        line(finding.topic, finding.text)
        if finding.advice:
            tell("advice", "yellow", finding.advice)
    blocked = dict.fromkeys(finding.topic for finding in findings if finding.blocks)
    if blocked:
        raise UserError(f"a run cannot start before this is mended: {', '.join(blocked)}")
    say("a run can start")
