"""``relight``: the command line.

Exit codes: :mod:`relight_assets.core.messages.exit_codes`.
"""

import os
from pathlib import Path

import click

from relight_assets import __version__
from relight_assets.cli.commands.check import check
from relight_assets.cli.commands.demo import demo
from relight_assets.cli.commands.dev import dev
from relight_assets.cli.commands.doctor import doctor
from relight_assets.cli.commands.init import init
from relight_assets.cli.commands.models import models
from relight_assets.cli.commands.outputs.export import export
from relight_assets.cli.commands.outputs.forget import forget
from relight_assets.cli.commands.outputs.gallery import gallery
from relight_assets.cli.commands.outputs.prune import prune
from relight_assets.cli.commands.outputs.publish import publish
from relight_assets.cli.commands.outputs.replay import replay
from relight_assets.cli.commands.outputs.verify import verify
from relight_assets.cli.commands.outputs.withdraw import withdraw
from relight_assets.cli.commands.run import run
from relight_assets.cli.commands.runs import runs
from relight_assets.cli.commands.status import status
from relight_assets.cli.commands.try_photos import try_photos
from relight_assets.cli.errors import CommandGroup
from relight_assets.cli.examples import add_examples
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import print_warning
from relight_assets.config.project import ProjectSource
from relight_assets.config.project_folder import working_folder
from relight_assets.config.variables import drop_unknown_variables


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relight")
@click.option("--platform", type=LOCAL_PATH, help="Settings file in place of config/platform.yaml.")
@click.pass_context
def main(context: click.Context, platform: Path | None) -> None:
    """CSVs of portrait photos in, training pairs for lighting-transformation models out."""
    working_folder()  # paths of options and variables may be relative to it
    unknown = drop_unknown_variables(os.environ)
    for notice in unknown:
        print_warning(notice)
    context.obj = ProjectSource(os.environ, platform, tuple(unknown))


for command in (
    check, demo, dev, doctor, export, forget, gallery, init, models, prune, publish, replay, run, runs, status,
    try_photos, verify, withdraw,
):  # fmt: skip
    main.add_command(command)
add_examples(main)
