"""``relight``: the command line.

Exit codes: :mod:`relight_assets.core.messages.exit_codes`.
"""

import os
from importlib import import_module
from pathlib import Path

import click

from relight_assets import __version__
from relight_assets.cli.errors import CommandGroup
from relight_assets.cli.examples import add_examples
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import print_error, print_warning
from relight_assets.config.project import ProjectSource
from relight_assets.config.project_folder import working_folder
from relight_assets.config.variables import drop_unknown_variables
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.errors import InterruptedRunError

_MODULES = {
    "check": "check", "demo": "demo", "dev": "dev", "doctor": "doctor", "export": "outputs.export",
    "forget": "outputs.forget", "gallery": "outputs.gallery", "init": "init", "models": "models",
    "prune": "outputs.prune", "publish": "outputs.publish", "replay": "outputs.replay", "run": "run", "runs": "runs",
    "status": "status", "try": "try_photos", "verify": "outputs.verify", "withdraw": "outputs.withdraw",
}  # fmt: skip
"""Modules in ``relight_assets.cli.commands``, by the names of the commands in them."""


class _Commands(CommandGroup):
    """Imports a command when it is named, and all of them for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        if name not in _MODULES:
            return None
        path = _MODULES[name]
        try:
            module = import_module(f"relight_assets.cli.commands.{path}")
        except KeyboardInterrupt:  # while `--help` imports all of them, nothing else would say so
            stopped = InterruptedRunError()
            print_error(str(stopped))
            raise click.exceptions.Exit(exit_code([stopped])) from None
        command: click.Command = getattr(module, path.split(".")[-1])
        add_examples(command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
