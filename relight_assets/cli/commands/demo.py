"""``relight demo``: sample portraits through all assets."""

import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.markup import escape

from relight_assets.cli.dagster_runs import materialize_splits
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.closing_table import print_closing_table
from relight_assets.cli.terminal.messages import out
from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.doctor.ports import PORT
from relight_assets.models import store
from relight_assets.stages.registry import stage_names


@click.command()
@click.option("--dir", "folder", type=LOCAL_PATH, default=Path("demo"), show_default=True)
@click.pass_obj
def demo(source: ProjectSource, folder: Path) -> None:
    """Sample portraits from installed packages through all assets, for three splits."""
    from relight_assets.cli.demo_photos import write_demo  # noqa: PLC0415  (only the demo needs what it needs)

    folder = folder.absolute()
    write_demo(folder)
    store.fetch(report=lambda _: None, folder=source.settings().model_dir)
    platform = folder / "platform.yaml"
    platform.write_text("csv_dir: .\noutput_root: outputs\n", encoding="utf-8")
    source = replace(source, platform=platform)
    project = source.context()
    csvs = list_csvs(project.settings.csv_dir, project.settings.csv_glob)
    done, errors = materialize_splits(source, project, csvs, stage_names(project.recipe), {})
    print_closing_table(done, project.settings)
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
