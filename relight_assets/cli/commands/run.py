"""``relight run``: brings splits up to date."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

from relight_assets.cli.dagster_runs import materialize_splits
from relight_assets.cli.options import (
    ENGINE,
    RAY_ADDRESS,
    select_engine,
    select_recipe,
    select_splits,
    select_stages,
    stages_under,
    usable_csvs,
)
from relight_assets.cli.paths import LOCAL_PATH
from relight_assets.cli.terminal.closing_table import print_closing_table
from relight_assets.cli.terminal.counting_bar import counting_bar
from relight_assets.cli.terminal.dry_run_table import print_dry_runs
from relight_assets.cli.terminal.messages import print_note, print_split_error
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.core.messages.exit_codes import exit_code
from relight_assets.dataset.csv.folder import CsvFolder
from relight_assets.engine.dry_run import DryRun
from relight_assets.engine.dry_run import dry_run as plan_run
from relight_assets.engine.run import RunOptions
from relight_assets.errors import RelightError
from relight_assets.stages.registry import stage_names


@click.command()
@click.option("--csv", "csv_file", type=LOCAL_PATH, help="One split's CSV.")
@click.option("--split", "split", help="One split by name, from csv_dir.")
@click.option("--all-splits", is_flag=True, help="Every CSV in csv_dir.")
@click.option("--config", type=LOCAL_PATH, help="Recipe; if it is not the project's, an experiment.")
@click.option("--experiment", default="", help="Outputs go to experiments/NAME/ of output_root.")
@click.option("--num-samples", type=click.IntRange(min=1), help="Only the first so many rows.")
@click.option("--num-gpus", type=click.IntRange(min=1), help="So many GPUs; default: as config/platform.yaml says.")
@ENGINE
@RAY_ADDRESS
@click.option("--stages", help="Comma-separated; only these are computed. Default: all that the recipe asks for.")
@click.option("--retry-failed", is_flag=True, help="Retry failed images even if nothing changed.")
@click.option("--overwrite", is_flag=True, help="Allow a folder with numbered files that relight did not write.")
@click.option(
    "--replace",
    "replace_photos",
    is_flag=True,
    help="Redo rows that name other photos than the split's images were made of.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be computed, and why; write nothing.")
@click.pass_obj
def run(
    source: ProjectSource,
    csv_file: Path | None,
    split: str | None,
    all_splits: bool,
    config: Path | None,
    experiment: str,
    num_samples: int | None,
    num_gpus: int | None,
    engine: str | None,
    ray_address: str | None,
    stages: str | None,
    retry_failed: bool,
    overwrite: bool,
    replace_photos: bool,
    dry_run: bool,
) -> None:
    """Bring splits up to date: only what is missing or stale is computed."""
    named = select_stages(stages) if stages is not None else None
    project = select_engine(source.context(), engine, ray_address)
    settings, csvs = select_splits(project.settings, csv_file, split, all_splits=all_splits)
    project = replace(project, settings=settings)
    name, loaded = select_recipe(project, config, experiment)
    selected = stages_under(loaded.recipe, named)
    if dry_run:
        options = RunOptions(
            stages=selected,
            num_samples=num_samples,
            retry_failed=retry_failed,
            replace_photos=replace_photos,
            experiment=name,
        )
        sys.exit(exit_code(_show_plans(csvs, loaded.recipe, settings, options)))
    image_config = {
        "num_samples": num_samples or 0,
        "num_gpus": num_gpus or 0,
        "retry_failed": retry_failed,
        "overwrite": overwrite,
        "replace": replace_photos,
    }
    done, errors = materialize_splits(source, project, csvs, selected, image_config, experiment=name, loaded=loaded)
    print_closing_table(done, settings, name)
    considered = Counter(state.row_status(row) for state, _ in done for row in range(len(state.keys[:num_samples])))
    pending = (metadata.get(stage, {}).get("pending", 0) for _, metadata in done for stage in selected)
    if waiting := max(pending, default=0):
        print_note(f"{waiting} images wait for a stage that was not selected (upstream_stale)")
    elif considered["pending"] and len(selected) < len(stage_names(loaded.recipe)):
        print_note(f"{considered['pending']} rows are pending: not all stages were selected")
    sys.exit(exit_code(errors, done=considered["done"] == considered.total()))


def _show_plans(csvs: CsvFolder, recipe: Recipe, settings: Settings, options: RunOptions) -> list[RelightError]:
    """Show what a run of each split would compute; what is wrong with the others."""
    planned: list[DryRun] = []
    errors: list[RelightError] = []
    for csv in usable_csvs(csvs, errors):
        try:
            with counting_bar(csv.split) as steps:
                plan = plan_run(csv, recipe, settings, options, steps)
            planned.append(plan)
        except RelightError as error:
            print_split_error(csv.path, error)
            errors.append(error)
    print_dry_runs(planned)
    return errors
