"""A whole run in one process, workers and all, so that every write of it can be watched and be its last."""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.defs.publishing import publish
from relight_assets.engine import hash_files, run
from relight_assets.engine.execution.dispatch import Finished
from relight_assets.engine.execution.local import LocalEngine
from relight_assets_tests.faults.invariants import FaultBench

GRAY = Recipe()


def whole_run(
    bench: FaultBench,
    recipe: Recipe = GRAY,
    *,
    csv: Path | None = None,
    mapping_dir: Path | None = None,
    **options: Any,
) -> None:
    """Run a split and publish what came of it.  For a child alone: engines are never started in it again."""
    hash_files.dispatch = run.dispatch = _here  # type: ignore[assignment]
    split = read_split_csv(csv or bench.csv_path)
    settings = bench.settings.model_copy(update={"mapping_dir": mapping_dir})
    run.run_split(split, recipe, settings, run.RunOptions(**options))
    publish(split, LoadedRecipe(recipe, ()), settings, options.get("experiment"), failures=True)


def _here(items: Iterable[Any], engine: LocalEngine, **_: object) -> Generator[Finished, None, None]:
    """What ``dispatch`` does, in this process."""
    make: Callable[..., Any] = engine._make_worker
    for result in make(**engine._settings).process(iter(items)):
        yield Finished(0, result)
