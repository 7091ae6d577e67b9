"""``relight gallery``: writes a page that shows every pair of a split, to choose by."""

import sys
import webbrowser
from pathlib import Path

import click

from relight_assets.cli.options import recipes, select_splits, splits_of_experiment, usable_csvs
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.counting_bar import counting_bar
from relight_assets.cli.terminal.messages import print_field, print_line, print_note, print_split_error
from relight_assets.config.project import ProjectSource
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.core.messages.wording import counted
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import RelightError
from relight_assets.reports.gallery.gallery import Gallery, write_gallery


@click.command()
@click.option("--csv", "csv_file", type=LOCAL_PATH, help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option("--open", "open_page", is_flag=True, help="Open it in the browser.")
@click.pass_obj
def gallery(
    source: ProjectSource,
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    experiment: str | None,
    open_page: bool,
) -> None:
    """Write a page that shows every pair: sort, filter, compare at 1:1, and keep or drop photos for the exports."""
    settings, csvs = select_splits(source.settings(), csv_file, split, all_splits=all_splits)
    if experiment is not None:
        csvs = splits_of_experiment(experiment, csvs, settings)
    recipe_of = recipes(source, settings, experiment)
    errors: list[RelightError] = []
    done = True
    for csv in usable_csvs(csvs, errors):
        try:
            loaded = recipe_of(csv.split)
            with counting_bar(csv.split) as steps:
                watch = steps("rows scanned")
                state = load_split_state(csv, loaded.recipe, settings, experiment, watch=watch)
                watch = steps("photos drawn")
                made = write_gallery(state, settings, settings.quality_of(loaded), experiment=experiment, watch=watch)
        except RelightError as error:
            print_split_error(csv.path, error)
            errors.append(error)
            continue
        done = made.pairs > 0 and done
        _report(csv.split, made)
        if open_page:
            open_in_browser(made.page)
    sys.exit(exit_code(errors, done=done))


def _report(split: str, made: Gallery) -> None:
    beside = f", pictures in {counted(made.sprites, 'file')} beside it" if made.sprites else ""
    print_line(
        f"{split}: {counted(made.pairs, 'pair')}, {made.unfinished:,} failed or rejected "
        f"({made.size / (1 << 20):,.1f} MiB{beside})"
    )
    print_field("gallery", made.page)
    for note in made.notes:
        print_note(note)


def open_in_browser(page: Path) -> None:
    """Open a page in the user's browser; where there is none, say so."""
    if not webbrowser.open(page.absolute().as_uri()):
        print_note(f"no browser could be opened here: open {page} yourself")
