"""``relight init``: a project of one's own."""

import os
from pathlib import Path

import click

from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.messages import print_line, print_warning
from relight_assets.config.project_files import FOLDERS, project_files
from relight_assets.config.settings import Settings
from relight_assets.doctor.dagster_home import check_home
from relight_assets.errors import ConfigError, UserError


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=LOCAL_PATH)
def init(folder: Path) -> None:
    """Make DIR a project: config/, workspace.yaml, data/, .gitignore and README.md; what is there already is kept."""
    for name in (".", *FOLDERS):
        if os.path.lexists(folder / name) and not (folder / name).is_dir():
            raise UserError(f"{folder / name} is there and is no folder; nothing was written")
    for name in FOLDERS:
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{folder / name} cannot be made: {error.strerror}") from error
    for name, content in project_files().items():
        written = _write_new(folder / name, content)
        print_line(f"{'wrote' if written else 'kept what was there:'} {folder / name}")
    try:
        check_home(Settings(dagster_home=(folder / ".dagster_home").absolute()), {})
    except ConfigError as error:
        print_warning(str(error))
    print_line(f"now put one CSV per split into {folder / 'data'}; {folder / 'README.md'} has the commands")


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file unless there is something in its place; whether it was written."""
    try:
        with path.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        return False
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    return True
