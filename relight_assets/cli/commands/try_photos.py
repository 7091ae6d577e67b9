"""``relight try``: a few photos under a few lights, without a CSV and without Dagster."""

import signal
import sys
from pathlib import Path

import click

from relight_assets.cli.commands.outputs.gallery import open_in_browser
from relight_assets.cli.files import write_file
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.photo_list import csv_of, photos_in, refuse_forgotten
from relight_assets.cli.terminal.messages import print_error, print_field, print_line, print_note
from relight_assets.cli.terminal.progress_bar import progress_bar
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import UserError
from relight_assets.models import store
from relight_assets.quality.feasibility import check_feasible
from relight_assets.reports.contact_sheets import lights_sheet
from relight_assets.reports.gallery.gallery import write_gallery

SPLIT = "try"
CSV = f"{SPLIT}_images.csv"
SHEET = "sheet.jpg"
LIGHTS = 4
"""Of each photo, where neither the command nor the recipe says otherwise: enough to see what differs."""
MOST_PHOTOS = 100
"""A larger folder is a data set, for which `relight run` is made."""
MOST_ON_SHEET = 20


@click.command(name="try")
@click.argument("photos", nargs=-1, required=True, type=LOCAL_PATH)
@click.option("--lights", type=click.IntRange(1, 64), help=f"Lights of each photo; default: the recipe's, or {LIGHTS}.")
@click.option("--out", type=LOCAL_PATH, default=Path("relight-try"), show_default=True)
@click.option("--open", "open_page", is_flag=True, help="Open the gallery in the browser.")
@click.pass_obj
def try_photos(source: ProjectSource, photos: tuple[Path, ...], lights: int | None, out: Path, open_page: bool) -> None:
    """See what relight makes of PHOTOS (files or folders): a sheet, a gallery and all files, in one folder.

    By the project's recipe, or the default one where there is no project.  Needs no CSV, and leaves the project alone.
    """
    found = photos_in(photos)
    if len(found) > MOST_PHOTOS:
        print_note(f"{len(found):,} photos: the first {MOST_PHOTOS} are tried; for all make a CSV, and use relight run")
        found = found[:MOST_PHOTOS]
    project = source.context()
    _refuse_folder(out, project.settings)
    refuse_forgotten(found, project.settings.output_root)
    recipe = _with_lights(project.recipe, lights)
    check_feasible(recipe)
    store.fetch(report=_say_what_is_done, folder=project.settings.model_dir)
    state = _made(found, recipe, project.settings, out.absolute())
    page = write_gallery(state, _settings_for(project.settings, out.absolute()), project.quality).page
    done = _report(state, out.absolute(), page)
    if open_page:
        open_in_browser(page)
    sys.exit(exit_code(done=done))


def _refuse_folder(out: Path, settings: Settings) -> None:
    """Refuse a folder that is the project's own, or in which a CSV of somebody else's would be replaced."""
    if out.resolve() in {settings.csv_dir.resolve(), settings.output_root.resolve()}:
        raise UserError(f"--out: {out} holds the project's own data; choose another folder")
    csv, data = out / CSV, split_folder(out, SPLIT)
    if csv.exists() and not data.is_dir():
        raise UserError(f"--out: {csv} is there already and not of `relight try`; choose another folder")


def _say_what_is_done(step: str) -> None:
    """Print a step of fetching the model files; nothing where all are there."""
    if not step.endswith(": ok"):
        print_line(step)


def _with_lights(recipe: Recipe, lights: int | None) -> Recipe:
    wanted = lights if lights is not None else recipe.variants if recipe.variants > 1 else LIGHTS
    return recipe.model_copy(update={"variants": wanted})


def _settings_for(settings: Settings, out: Path) -> Settings:
    """The project's, but for where things lie; the photos may lie anywhere, for they were named by hand."""
    changes = {"csv_dir": out, "output_root": out, "mapping_dir": None, "image_root": None, "licence_column": None}
    return settings.model_copy(update={**changes, "engine": "local"})


def _made(photos: list[Path], recipe: Recipe, settings: Settings, out: Path) -> SplitState:
    """Run the photos; where each then stands."""
    # A shell that starts a command in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    split = csv_of(photos, out / CSV)
    settings = _settings_for(settings, out)
    layout = SplitLayout(split_folder(out, SPLIT))
    with progress_bar(layout, counted(len(photos), "photo")):
        # Photos are named anew at each call, so one that has changed is no mistake.
        summary = run_split(split, recipe, settings, RunOptions(replace_photos=True))
    return summary.state


def _report(state: SplitState, out: Path, page: Path) -> bool:
    """Write the sheet, and print what there is; whether all photos were done."""
    done: list[tuple[str, int]] = []
    for image in state.images.values():
        name = Path(image.key).name
        if image.status == "done" and image.index is not None:
            done.append((name, image.index))
        elif image.failure is not None:
            print_error(f"{image.key}: {image.failure.code}: {image.failure.message}")
    if done:
        write_file(out / SHEET, lights_sheet(state.layout, done[:MOST_ON_SHEET], state.variants))
        print_line(f"{counted(len(done), 'photo')} under {counted(state.variants, 'light')}")
        print_field("sheet", out / SHEET)
    print_field("gallery", page)
    print_field("files", state.layout.folder)
    return len(done) == len(state.images)
