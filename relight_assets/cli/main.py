"""``relight``: the command line.

Exit codes: :mod:`relight_assets.core.exit_codes`.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
from rich.live import Live

from relight_assets import __version__
from relight_assets.cli.dagster_runs import materialize_splits
from relight_assets.cli.dev import dev
from relight_assets.cli.doctor import doctor
from relight_assets.cli.errors import CommandGroup
from relight_assets.cli.files import write_file
from relight_assets.cli.init import demo, init
from relight_assets.cli.models import models
from relight_assets.cli.options import recipe_asked_for, splits_asked_for, splits_of, stages_asked_for
from relight_assets.cli.prune import prune_orphans, prune_partitions
from relight_assets.cli.replay import replay
from relight_assets.cli.runs import runs
from relight_assets.cli.terminal import (
    out,
    print_closing_table,
    print_verifications,
    say,
    status_of,
    tell,
    tell_error,
    usable_csvs,
    warn,
)
from relight_assets.config.settings import (
    Settings,
    drop_unknown_variables,
    load_project_recipe,
    load_settings,
    working_folder,
)
from relight_assets.core.exit_codes import exit_code
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.errors import RelightError, UserError
from relight_assets.imaging.png import encode_png
from relight_assets.quality.verify.split import Verification, verify_finished
from relight_assets.reports.contact_sheets import metric_sheet
from relight_assets.stages.registry import stage_names


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relight")
@click.option("--platform", type=click.Path(path_type=Path), help="Platform file in place of config/platform.yaml.")
@click.pass_context
def main(context: click.Context, platform: Path | None) -> None:
    """CSVs of portrait photos in, training pairs for lighting-transformation models out."""
    working_folder()  # paths of options and variables may be relative to it
    context.obj = drop_unknown_variables()
    for told in context.obj:
        warn(told)
    if platform is not None:
        os.environ["RELIGHT_PLATFORM"] = str(platform.absolute())


main.add_command(dev)
main.add_command(doctor)
main.add_command(init)
main.add_command(demo)
main.add_command(runs)
main.add_command(models)
main.add_command(replay)


@main.command()
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--config", type=click.Path(path_type=Path), help="Recipe; another than the project's is an experiment.")
@click.option("--experiment", default="", help="Name of the experiment that another recipe's outputs go to.")
@click.option("--num-samples", type=click.IntRange(min=1), help="Only the first so many rows.")
@click.option("--num-gpus", type=click.IntRange(min=1), help="So many GPUs; default: as config/platform.yaml says.")
@click.option(
    "--stages", default=",".join(stage_names()), show_default=True, help="Comma-separated; only these are computed."
)
@click.option("--retry-failed", is_flag=True, help="Also try images whose recorded failure still holds.")
@click.option("--overwrite", is_flag=True, help="Write into a folder with numbered pictures of unknown origin.")
@click.option(
    "--replace", is_flag=True, help="Redo rows that name other photos than the split's pictures were made of."
)
def run(
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    config: Path | None,
    experiment: str,
    num_samples: int | None,
    num_gpus: int | None,
    stages: str,
    retry_failed: bool,
    overwrite: bool,
    replace: bool,
) -> None:
    """Bring splits up to date: only what is missing or stale is computed."""
    chosen = stages_asked_for(stages)
    csvs = splits_asked_for(csv_file, split, all_splits=all_splits)
    named, loaded = recipe_asked_for(config, experiment)
    image_config = {
        "num_samples": num_samples or 0,
        "num_gpus": num_gpus or 0,
        "retry_failed": retry_failed,
        "overwrite": overwrite,
        "replace": replace,
    }
    done, errors = materialize_splits(csvs, chosen, image_config, named, loaded)
    print_closing_table(done, load_settings(), named)
    considered = Counter(state.row_status(row) for state, _ in done for row in range(len(state.keys[:num_samples])))
    pending = (metadata.get(stage, {}).get("pending", 0) for _, metadata in done for stage in chosen)
    if waiting := max(pending, default=0):
        tell("note", "yellow", f"{waiting} images wait for a stage that was not selected (upstream_stale)")
    elif considered["pending"] and len(chosen) < len(stage_names()):
        tell("note", "yellow", f"{considered['pending']} rows are pending: not all stages were selected")
    sys.exit(exit_code(errors, done=considered["done"] == considered.total()))


@main.command()
@click.option("--watch", is_flag=True, help="Keep showing, every two seconds, until Ctrl-C.")
def status(watch: bool) -> None:
    """Done, failed and pending rows per split; rate and time to go while a run is on."""
    settings = load_settings()
    recipe = load_project_recipe().recipe
    now = status_of(settings, recipe)
    if watch:
        with Live(now.table, console=out, auto_refresh=False) as live, suppress(KeyboardInterrupt):
            while True:
                time.sleep(2)
                now = status_of(settings, recipe)
                live.update(now.table, refresh=True)
    else:
        out.print(now.table)
    sys.exit(exit_code(now.errors, done=now.done))


@main.command()
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option("--sample", type=click.IntRange(min=1), help="Only so many images of each split, evenly spread.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write everything here.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw the worst images of each metric here, as a PNG.")
def verify(
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    experiment: str | None,
    sample: int | None,
    json_file: Path | None,
    sheet: Path | None,
) -> None:
    """Read every file: its sha256, the background, the mapping CSV; and measure every picture.  Changes nothing."""
    csvs = splits_asked_for(csv_file, split, all_splits=all_splits)
    settings = load_settings()
    if experiment is not None:
        csvs = splits_of(experiment, csvs, settings)
    found: list[Verification] = []
    errors: list[RelightError] = []
    for csv in usable_csvs(csvs, errors):
        try:
            found.append(verify_finished(csv, settings, experiment=experiment, sample=sample))
        except RelightError as error:
            tell_error(csv.path, error)
            errors.append(error)
    print_verifications(found)
    if json_file is not None:
        write_file(json_file, f"{json.dumps([each.plain() for each in found], indent=1)}\n".encode())
    if sheet is not None:
        _draw_worst(found, sheet, settings, experiment)
    sys.exit(exit_code(errors, done=all(each.passed for each in found)))


@main.command()
@click.option("--split", "split", help="One split by name, from csv_dir; default: all.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
def prune(split: str | None, experiment: str | None, yes: bool) -> None:
    """List, or remove, what lies under numbers whose rows are gone, and partitions without a CSV that can be used."""
    settings = load_settings()
    csvs = splits_asked_for(None, split, all_splits=split is None)
    errors = prune_orphans(csvs, settings, experiment, remove=yes)
    if split is None and experiment is None:
        errors += prune_partitions(settings, remove=yes)
    if not yes:
        say("nothing was removed; --yes removes what is listed")
    sys.exit(exit_code(errors))


def _draw_worst(found: Sequence[Verification], path: Path, settings: Settings, experiment: str | None) -> None:
    """The worst images of each metric of all splits, one below the other, as a PNG."""
    drawn = []
    for each in found:
        layout = SplitLayout(split_folder(settings.output_root, each.split, experiment))
        drawn.append(metric_sheet(layout, each.verdicts, ("input", "albedo", "output")))
    sheets = [one for one in drawn if one is not None]
    if not sheets:
        raise UserError(f"there is nothing to draw into {path}: no image was measured")
    write_file(path, encode_png(np.concatenate(sheets, axis=0)))
