"""A whole run in one process, workers and all, so that every write of it can be watched and be its last."""

from pathlib import Path
from typing import Any

from relight_assets.config.engines import ENGINES
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.defs.publishing import publish
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.storage.local import LOCAL, LocalStorage
from relight_assets_tests.engine.execution.threads_engine import THREADS_ENGINE
from relight_assets_tests.faults.invariants import FaultBench

GRAY = Recipe()


def whole_run(
    bench: FaultBench,
    recipe: Recipe = GRAY,
    *,
    csv: Path | None = None,
    mapping_dir: Path | None = None,
    storage: LocalStorage = LOCAL,
    **options: Any,
) -> None:
    """Run a split and publish what came of it.  For a child alone: its registry has another engine."""
    ENGINES["threads"] = THREADS_ENGINE
    split = read_split_csv(csv or bench.csv_path)
    settings = bench.settings.model_copy(update={"mapping_dir": mapping_dir, "engine": "threads", "cpu_workers": 1})
    run_split(split, recipe, settings, RunOptions(**options, storage=storage))
    publish(split, LoadedRecipe(recipe, ()), settings, options.get("experiment"), failures=True, storage=storage)
