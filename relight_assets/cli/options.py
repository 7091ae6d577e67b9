"""What a command is asked for: stages, splits and recipe, from its options."""

import glob
import os
from dataclasses import replace
from pathlib import Path

from relight_assets.cli.terminal import tell
from relight_assets.config.loader import LoadedRecipe, load_recipe
from relight_assets.config.settings import Settings, load_project_recipe, load_settings, recipe_file
from relight_assets.dataset.csv.folder import CsvFolder, list_csvs, read_csv
from relight_assets.dataset.csv.read import split_name
from relight_assets.dataset.layout import split_folder
from relight_assets.errors import UserError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names


def stages_asked_for(text: str) -> tuple[Stage, ...]:
    """The stages of a comma-separated list, in their order.

    Raises:
        UserError: one that there is not, or none.
    """
    asked = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in asked if name not in stage_names()]
    if unknown or not asked:
        raise UserError(f"--stages: {', '.join(unknown) or 'nothing given'}; the stages are {', '.join(stage_names())}")
    return tuple(stage for stage in stage_names() if stage in asked)


def splits_asked_for(csv_file: Path | None, split: str | None, *, all_splits: bool) -> CsvFolder:
    """The CSVs that exactly one of the three options names; of all of them, also those that cannot be used.

    Raises:
        UserError: none or several of the options, or there is no CSV at all.
        CsvError: the one CSV that is asked for is not there, or its name or kind is wrong.
    """
    if sum((csv_file is not None, split is not None, all_splits)) != 1:
        raise UserError("say what to run: --csv FILE, --split NAME or --all-splits")
    if csv_file is not None:
        name = split_name(csv_file)
        read_csv(csv_file)  # its faults are told before anything starts
        # For this run the CSV's own folder is csv_dir, and this file is its only split.
        os.environ["RELIGHT_CSV_DIR"] = str(csv_file.absolute().parent)
        os.environ["RELIGHT_CSV_GLOB"] = glob.escape(csv_file.name)
        split = name
    settings = load_settings()
    folder = list_csvs(settings.csv_dir, settings.csv_glob)
    if split is not None:
        if split not in folder.found and folder.fault_of(split) is None:
            raise UserError(f"no split `{split}` in {settings.csv_dir}; there are: {', '.join(folder.found) or 'none'}")
        return folder.only(split)
    if not folder.found and not folder.faults:
        raise UserError(f"no CSV matches {settings.csv_glob} in {settings.csv_dir}")
    return folder


def splits_of(experiment: str, folder: CsvFolder, settings: Settings) -> CsvFolder:
    """The splits that an experiment was run for; all of them where it was for none, so that the first says so."""
    there = {
        name: path
        for name, path in folder.found.items()
        if split_folder(settings.output_root, name, experiment).is_dir()
    }
    for name in folder.found.keys() - there.keys() if there else ():
        tell("note", "yellow", f"the experiment `{experiment}` has nothing of the split `{name}`")
    return replace(folder, found=there or folder.found)


def recipe_asked_for(config: Path | None, experiment: str) -> tuple[str | None, LoadedRecipe]:
    """The experiment's name (None: the split's own folder) and the recipe.

    Raises:
        UserError: another recipe than the project's, and no name could be made for its experiment.
        ConfigError: it cannot be used.
    """
    project = load_project_recipe()
    loaded = load_recipe(config) if config is not None else project
    for warning in loaded.warnings:
        tell("warning", "yellow", warning)
    if not experiment and loaded.recipe != project.recipe and config is not None:
        experiment = "".join(c if (c.isalnum() and c.isascii()) or c in "-_" else "-" for c in config.stem).lstrip("-_")
        if not 0 < len(experiment) <= 64:
            raise UserError(f"{config} is not the project's recipe; name the experiment it is for with --experiment")
        note = (
            f"{config} is not the project's recipe ({recipe_file()}), so its outputs are kept apart, as the experiment "
            f"`{experiment}`. To make it the project's recipe, set RELIGHT_CONFIG={config}, for scheduled runs too."
        )
        tell("note", "yellow", note)
    return experiment or None, loaded
