"""``relight export``: writes finished pairs in the layout that a trainer reads."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

import click

from relight_assets.cli.options import recipes, select_splits, splits_of_experiment, usable_csvs
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.counting_bar import counting_bar
from relight_assets.cli.terminal.messages import print_error, print_field, print_line, print_split_error
from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.parsing.validation import validate
from relight_assets.config.parsing.yaml_reader import parse_yaml
from relight_assets.config.project import ProjectSource
from relight_assets.config.settings import Settings
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.core.messages.wording import counted
from relight_assets.dataset.csv.folder import CsvFolder
from relight_assets.dataset.layout import check_name
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import OutputFolderError, RelightError, UserError
from relight_assets.exports.base import ExportSpec
from relight_assets.exports.cards.croissant import CROISSANT, can_write
from relight_assets.exports.cards.readme import README
from relight_assets.exports.export import Exported, export_split
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout, layouts
from relight_assets.exports.rows.other_splits import KeptPhotos
from relight_assets.exports.rows.review import dropped_photos
from relight_assets.exports.samples import write_samples
from relight_assets.exports.snapshot import Snapshots

FAULTS_SHOWN = 20


@click.command()
@click.option("--layout", "layout_name", help="The layout; see --list.")
@click.option("--list", "list_only", is_flag=True, help="List the layouts and end.")
@click.option("--samples", "samples_only", is_flag=True, help="Write samples.csv into the splits' folders instead.")
@click.option("--csv", "csv_file", type=LOCAL_PATH, help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--experiment", help="The outputs of a named experiment.")
@click.option(
    "--out",
    type=LOCAL_PATH,
    help="The folder of exports; default: export_root, or exports in output_root.",
)
@click.option("--name", help="The export's name; default: that of the layout.")
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="An option, such as caption=measured.")
@click.option("--no-check", is_flag=True, help="Do not read the export back.")
@click.option("--prune", is_flag=True, help="List older snapshots instead; --yes removes them.")
@click.option("--yes", is_flag=True, help="With --prune: remove them.")
@click.pass_obj
def export(
    source: ProjectSource,
    layout_name: str | None,
    list_only: bool,
    samples_only: bool,
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    experiment: str | None,
    out: Path | None,
    name: str | None,
    given: tuple[str, ...],
    no_check: bool,
    prune: bool,
    yes: bool,
) -> None:
    """Write finished pairs in the layout that a trainer reads: target = the photo, condition = the degraded picture."""
    if yes and not prune:
        raise UserError("--yes belongs to --prune")
    if list_only:
        for spec in layouts().values():
            print_field(spec.name, f"{spec.reader}: {spec.start.format(folder='FOLDER')}")
        return
    if samples_only:
        if layout_name is not None:
            raise UserError("--samples writes no layout: leave out --layout")
        _write_samples(source, csv_file, split, all_splits=all_splits, experiment=experiment)
    if layout_name is None:
        raise UserError("give --layout NAME; --list shows the layouts")
    spec, options = layout(layout_name), source.settings().completed(options_of(given))
    check_name("export", name or spec.name)
    settings, folder = _chosen(source, csv_file, split, all_splits=all_splits, experiment=experiment)
    # An experiment's pairs never take the place of the split's own.
    name = f"{name or spec.name}-{experiment}" if experiment is not None else name or spec.name
    root = (out or settings.export_folder).absolute() / name
    if root.resolve().is_relative_to(settings.output_root.resolve()) and name.startswith("data-"):
        raise UserError(f"--name: {root} would lie among the outputs of splits; choose another name")
    if prune:
        _prune([Snapshots(root, each) for each in folder.found], remove=yes)
        return
    recipe_of = recipes(source, settings, experiment)
    # Of the whole project, also where one CSV alone is exported.
    kept = KeptPhotos(source.settings(), options.split_order)
    errors: list[RelightError] = []
    done = True
    for csv in usable_csvs(folder, errors):
        try:
            recipe = recipe_of(csv.split).recipe
            with counting_bar(csv.split) as steps:
                state = load_split_state(csv, recipe, settings, experiment, watch=steps("rows scanned"))
                exported = export_split(
                    state,
                    spec,
                    options,
                    root,
                    taken=kept.before(csv.split),
                    dropped=dropped_photos(csv, settings.photo_root),
                    watch=steps("pairs written"),
                )
            done = _report(exported, spec, check=not no_check) and done
        except RelightError as error:
            print_split_error(csv.path, error)
            errors.append(error)
    sys.exit(exit_code(errors, done=done))


def _chosen(
    source: ProjectSource, csv_file: Path | None, split: str | None, *, all_splits: bool, experiment: str | None
) -> tuple[Settings, CsvFolder]:
    settings, folder = select_splits(source.settings(), csv_file, split, all_splits=all_splits)
    return settings, splits_of_experiment(experiment, folder, settings) if experiment is not None else folder


def _write_samples(
    source: ProjectSource, csv_file: Path | None, split: str | None, *, all_splits: bool, experiment: str | None
) -> NoReturn:
    """Write the label tables, and end."""
    settings, folder = _chosen(source, csv_file, split, all_splits=all_splits, experiment=experiment)
    recipe_of = recipes(source, settings, experiment)
    errors: list[RelightError] = []
    done = True
    for csv in usable_csvs(folder, errors):
        try:
            recipe = recipe_of(csv.split).recipe
            with counting_bar(csv.split) as steps:
                state = load_split_state(csv, recipe, settings, experiment, watch=steps("rows scanned"))
                written = write_samples(state, settings.licence_column)
        except RelightError as error:
            print_split_error(csv.path, error)
            errors.append(error)
            continue
        done = written.rows > 0 and done
        print_line(f"{csv.split}: {counted(written.rows, 'pair')}")
        for path in filter(None, (written.csv, written.parquet)):
            print_field("table", path)
    sys.exit(exit_code(errors, done=done))


def options_of(given: Sequence[str]) -> ExportOptions:
    """The options that KEY=VALUE texts name.

    Raises:
        UserError: one is no such text.  ConfigError: an unknown key or a value that cannot be used.
    """
    found: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign:
            raise UserError(f"--set: `{text}` must be KEY=VALUE, such as caption=measured")
        kind = ExportOptions.model_fields.get(key.strip())
        # Of text nothing is read but the text: it may look like a number, or hold a #.
        is_text = kind is not None and _types_in(kind.annotation) <= {str, Path, type(None)}
        found[key.strip()] = value if is_text or value == "" else parse_yaml(value, f"--set {key.strip()}")
    return validate(ExportOptions, found, "--set")


def _types_in(annotation: Any) -> set[Any]:
    """The types that an annotation allows, of a union each."""
    if get_origin(annotation) in {Union, UnionType}:
        return set().union(*map(_types_in, get_args(annotation)))
    return {get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation}


def _report(exported: Exported, spec: ExportSpec, *, check: bool) -> bool:
    """Print what an export did; whether it is whole."""
    left = ", ".join(f"{count} {reason}" for reason, count in sorted(exported.left_out.items()))
    if not exported.pairs:
        print_error(f"{exported.split}: there is nothing to export: {left or 'no row'}")
        return False
    made = f"{counted(exported.linked, 'link')}, {counted(exported.written, 'file')} written"
    did = made if exported.changed else "nothing new"
    print_line(f"{exported.split}: {counted(exported.pairs, 'pair')} ({did}){f'; left out: {left}' if left else ''}")
    print_field("folder", exported.folder)
    print_field("card", exported.folder / README)
    if not can_write():
        print_field("Croissant", f"{CROISSANT} needs the extra: pip install 'relight_assets[export]'")
    print_field("use it", spec.start.format(folder=exported.folder))
    if not check:
        return True
    with counting_bar(exported.split) as steps:
        found = read_back(exported.folder, steps("pairs read back"))
    if found.offsets:
        print_field("offset", f"at most {max(found.offsets):.2f} pixels in {counted(len(found.offsets), 'pair')}")
    for fault in found.faults[:FAULTS_SHOWN]:
        print_error(f"{fault.path}: {fault.what}")
    counts = ((found.pairs, "pair"), (found.files, "file"), (len(found.faults), "fault"))
    print_line(f"read back: {', '.join(counted(*each) for each in counts)}")
    return found.passed


def _prune(all_snapshots: Sequence[Snapshots], *, remove: bool) -> None:
    for snapshots in all_snapshots:
        for folder in snapshots.old():
            if remove:
                try:
                    shutil.rmtree(folder)
                except OSError as error:
                    raise OutputFolderError(f"{folder} cannot be removed: {error.strerror or error}") from error
            print_line(f"{folder}{' removed' if remove else ''}")
    if not remove:
        print_line("nothing was removed; --yes removes what is listed")
