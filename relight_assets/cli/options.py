"""What a command is to work on: stages, splits and recipe, from its options."""

import glob
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from relight_assets.cli.terminal.messages import print_note, print_split_error, print_warning
from relight_assets.config.context import ProjectContext
from relight_assets.config.engines import ENGINES
from relight_assets.config.loader import load_recipe
from relight_assets.config.parsing.validation import validate
from relight_assets.config.parsing.yaml_reader import odd_character
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import RayCluster, Settings
from relight_assets.dataset.csv.folder import CsvFolder, list_csvs, no_csv, no_rows, read_csv
from relight_assets.dataset.csv.read import SplitCsv, split_name
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.errors import ConfigError, CsvError, RelightError, UserError
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import all_stage_names, stage_names

ENGINE = click.option(
    "--engine", type=click.Choice([*ENGINES]), help="Where workers run; default: as config/platform.yaml says."
)
RAY_ADDRESS = click.option("--ray-address", help="HOST:PORT of the head of a Ray cluster, for --engine ray.")


def select_stages(text: str) -> tuple[Stage, ...]:
    """The stages of a comma-separated list, in their order.

    Raises:
        UserError: one of them is no stage, or there is none.
    """
    named = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in named if name not in all_stage_names()]
    if unknown or not named:
        known = ", ".join(all_stage_names())
        raise UserError(f"--stages: {', '.join(unknown) or 'nothing given'}; the stages are {known}")
    return tuple(stage for stage in all_stage_names() if stage in named)


def stages_under(recipe: Recipe, named: tuple[Stage, ...] | None) -> tuple[Stage, ...]:
    """The stages to compute: those that were named, or all that the recipe asks for.

    Raises:
        UserError: the recipe does not ask for one that was named.
    """
    asked = stage_names(recipe)
    off = [stage for stage in named or () if stage not in asked]
    if off:
        raise UserError(f"--stages: the recipe does not ask for {', '.join(off)}; set `keep_light: true` in it")
    return asked if named is None else named


def select_engine(project: ProjectContext, engine: str | None, ray_address: str | None) -> ProjectContext:
    """The project with the engine that options name; None: that of its settings.

    Raises:
        UserError: an address without its engine.
        ConfigError: it is no address of a cluster's head.
    """
    if engine is not None:
        project = project.with_settings(engine=engine)
    if ray_address is None:
        return project
    if project.settings.engine != "ray":
        raise UserError("--ray-address is the address of a Ray cluster: give --engine ray too")
    ray = project.settings.ray.model_dump(mode="json") | {"address": ray_address}
    return project.with_settings(ray=validate(RayCluster, ray, "--ray-address"))


def select_splits(
    settings: Settings, csv_file: Path | None, split: str | None, *, all_splits: bool
) -> tuple[Settings, CsvFolder]:
    """The CSVs that exactly one of the three options names; of all of them, also those that cannot be used.

    Also returns the settings that the command then works with: for a CSV, its own folder is ``csv_dir``, and it is the
    only split there.

    Raises:
        UserError: none or several of the options, or there is no CSV at all.
        CsvError: the one CSV that is asked for is not there, or its name or kind is wrong.
        ConfigError: the CSV is in a folder whose name cannot be used.
    """
    if sum((csv_file is not None, split is not None, all_splits)) != 1:
        raise UserError("give exactly one of --csv FILE, --split NAME, --all-splits")
    if csv_file is not None:
        split = split_name(csv_file)
        settings = _settings_for_csv(settings, csv_file)
    folder = list_csvs(settings.csv_dir, settings.csv_glob)
    if split is not None:
        if split not in folder.found and folder.fault_of(split) is None:
            raise UserError(f"no split `{split}` in {settings.csv_dir}; there are: {', '.join(folder.found) or 'none'}")
        return settings, folder.only(split)
    if not folder.found and not folder.faults:
        raise UserError(no_csv(settings.csv_dir, settings.csv_glob))
    return settings, folder


def _settings_for_csv(settings: Settings, csv_file: Path) -> Settings:
    read_csv(csv_file)  # raises before anything starts
    path = csv_file.absolute()
    if (odd := odd_character(str(path))) is not None:
        raise ConfigError(f"--csv: holds {odd}")
    return settings.model_copy(update={"csv_dir": path.parent, "csv_glob": glob.escape(path.name)})


def splits_of_experiment(experiment: str, folder: CsvFolder, settings: Settings) -> CsvFolder:
    """The splits that an experiment was run for; all of them where it was for none, so that the first says so."""
    there = {
        name: path
        for name, path in folder.found.items()
        if SplitLayout(split_folder(settings.output_root, name, experiment)).is_there
    }
    for name in folder.found.keys() - there.keys() if there else ():
        print_note(f"the experiment `{experiment}` has nothing of the split `{name}`")
    return replace(folder, found=there or folder.found)


def usable_csvs(folder: CsvFolder, errors: list[RelightError]) -> Iterator[SplitCsv]:
    """The CSVs that can be used, each read when its turn comes; what is wrong with the others is printed.

    What is wrong is added to ``errors``; one without rows is no error.
    """
    for path, csv in folder.read_all():
        if isinstance(csv, CsvError):
            print_split_error(path, csv)
            errors.append(csv)
        elif not csv.lines:
            print_note(no_rows(path))
        else:
            yield csv


def recipes(source: ProjectSource, settings: Settings, experiment: str | None) -> Callable[[str], LoadedRecipe]:
    """What gives, by a split's name, the recipe of its outputs: the project's, or the experiment's.

    Raises:
        ConfigError: the project's recipe is the one, and cannot be used.
    """
    if experiment is not None:
        return lambda split: experiment_recipe(split, settings, experiment)
    project_recipe = source.recipe()
    return lambda _: project_recipe


def select_recipe(project: ProjectContext, config: Path | None, experiment: str) -> tuple[str | None, LoadedRecipe]:
    """The experiment's name (None: the split's own folder) and the recipe.

    Raises:
        UserError: another recipe than the project's, and no name could be made for its experiment.
        ConfigError: it cannot be used.
    """
    loaded = load_recipe(config) if config is not None else project.loaded
    for warning in loaded.warnings:
        print_warning(warning)
    if not experiment and loaded.recipe != project.recipe and config is not None:
        experiment = "".join(c if (c.isalnum() and c.isascii()) or c in "-_" else "-" for c in config.stem).lstrip("-_")
        if not 0 < len(experiment) <= 64:
            raise UserError(f"{config} is not the project's recipe; name the experiment it is for with --experiment")
        print_note(
            f"{config} is not the project's recipe ({project.recipe_file}), so its outputs are kept apart, as the "
            f"experiment `{experiment}`. To make it the project's recipe, set RELIGHT_CONFIG={config}, for scheduled "
            "runs too."
        )
    return experiment or None, loaded
