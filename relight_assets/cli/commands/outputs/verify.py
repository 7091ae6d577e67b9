"""``relight verify``: reads and measures every file of a split; changes nothing."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from relight_assets.cli.files import write_file
from relight_assets.cli.options import recipes, select_splits, splits_of_experiment, usable_csvs
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.counting_bar import counting_bar
from relight_assets.cli.terminal.messages import print_split_error
from relight_assets.cli.terminal.verification import print_verifications
from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.errors import RelightError, UserError
from relight_assets.imaging.png import encode_png
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.reports.contact_sheets import metric_sheet


@click.command()
@click.option("--csv", "csv_file", type=LOCAL_PATH, help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option("--sample", type=click.IntRange(min=1), help="Only so many images of each split, evenly spread.")
@click.option("--json", "json_file", type=LOCAL_PATH, help="Write everything here.")
@click.option("--sheet", type=LOCAL_PATH, help="Draw the worst images of each metric here, as a PNG.")
@click.pass_obj
def verify(
    source: ProjectSource,
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    experiment: str | None,
    sample: int | None,
    json_file: Path | None,
    sheet: Path | None,
) -> None:
    """Read every file: its sha256, the background, the mapping CSV; and measure every image.  Changes nothing."""
    settings, csvs = select_splits(source.settings(), csv_file, split, all_splits=all_splits)
    if experiment is not None:
        csvs = splits_of_experiment(experiment, csvs, settings)
    recipe_of = recipes(source, settings, experiment)
    found: list[Verification] = []
    errors: list[RelightError] = []
    for csv in usable_csvs(csvs, errors):
        try:
            loaded = recipe_of(csv.split)
            quality = settings.quality_of(loaded)
            with counting_bar(csv.split) as steps:
                each = verify_split(
                    csv, loaded.recipe, settings, quality=quality, experiment=experiment, sample=sample, steps=steps
                )
            found.append(each)
        except RelightError as error:
            print_split_error(csv.path, error)
            errors.append(error)
    print_verifications(found)
    if json_file is not None:
        write_file(json_file, f"{json.dumps([each.plain() for each in found], indent=1)}\n".encode())
    if sheet is not None:
        _draw_worst(found, sheet, settings, experiment)
    sys.exit(exit_code(errors, done=all(each.passed for each in found)))


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
