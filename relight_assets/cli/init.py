"""What somebody who is new starts with: ``relight init``, a project of their own, and ``relight demo``."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import click
from rich.markup import escape

from relight_assets.cli.dagster_runs import materialize_splits
from relight_assets.cli.terminal import out, print_closing_table, say, tell
from relight_assets.config.project_files import FOLDERS, project_files
from relight_assets.config.settings import Settings, load_settings
from relight_assets.core.exit_codes import exit_code
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.doctor.dagster_home import check_home
from relight_assets.doctor.ports import PORT
from relight_assets.errors import ConfigError, UserError
from relight_assets.models import store
from relight_assets.stages.registry import stage_names


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
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
        say(f"{'wrote' if written else 'kept what was there:'} {folder / name}")
    try:
        check_home(Settings(dagster_home=(folder / ".dagster_home").absolute()), {})
    except ConfigError as error:
        tell("warning", "yellow", str(error))
    say(f"now put one CSV per split into {folder / 'data'}; {folder / 'README.md'} has the commands")


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


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
def demo(folder: Path) -> None:
    """Sample portraits from installed packages through all assets, for three splits."""
    from relight_assets.cli.demo_photos import write_demo  # noqa: PLC0415  (only the demo needs what it needs)

    folder = folder.absolute()
    write_demo(folder)
    store.fetch(report=lambda _: None, folder=load_settings().model_dir)
    platform = folder / "platform.yaml"
    platform.write_text("csv_dir: .\noutput_root: outputs\n", encoding="utf-8")
    os.environ["RELIGHT_PLATFORM"] = str(platform)
    settings = load_settings()
    done, errors = materialize_splits(list_csvs(settings.csv_dir, settings.csv_glob), stage_names(), {})
    print_closing_table(done, settings)
    out.print("Among the rows are a cup, a cat and a broken file, which fail on purpose.")
    if errors:
        sys.exit(exit_code(errors))
    dev = shlex.join([_this_command(), "--platform", os.path.relpath(platform), "dev"])
    out.print(f"To see it in the UI: [bold]{escape(dev)}[/], then http://127.0.0.1:{PORT}", soft_wrap=True)


def _this_command() -> str:
    """`relight`, or its path where a shell would not find this one, as under `make`."""
    started = Path(sys.argv[0]).absolute()
    if started.name != "relight" or shutil.which("relight") == str(started):
        return "relight"
    return os.path.relpath(started)
