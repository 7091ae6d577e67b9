"""Dagster for the command line: imported when it is needed, and told to run splits one after the other."""

import importlib
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from relight_assets.cli.terminal import progress_bar, say, tell, tell_error
from relight_assets.config.loader import LoadedRecipe
from relight_assets.config.settings import load_project_recipe, load_settings
from relight_assets.core.crash_reports import unexpected
from relight_assets.dataset.csv.contents import check_csvs
from relight_assets.dataset.csv.folder import CsvFolder, no_rows, read_csv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.run import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import InterruptedRunError, RelightError
from relight_assets.stages.base import Stage

# Of things that are in beta or renamed later; the version is pinned.
KNOWN_WARNINGS = (
    "Class `CodeReferencesMetadataValue`",
    "Class `LocalFileCodeReference`",
    "Function `with_source_code_references`",
    "Function `observable_source_asset`",
    "Class `DataVersionsByPartition`",
    "Specifying a partitions_def on an AssetCheckSpec",
    "Function `dev_command`",
)


def can_be_stopped() -> None:
    """Have Ctrl-C and SIGTERM end this process, whatever the shell that started it has set."""
    # A shell that starts a command in the background has it ignore Ctrl-C; Dagster copies that to SIGTERM.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def dagster_part(module: str) -> ModuleType:
    """One of our modules that know Dagster."""
    # Not at the top: Dagster takes two seconds to import, and every worker process would pay them too.
    with known_warnings_off():
        return importlib.import_module(f"relight_assets.{module}")


@contextmanager
def known_warnings_off() -> Iterator[None]:
    """Hide :data:`KNOWN_WARNINGS` of Dagster."""
    with warnings.catch_warnings():
        for start in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=start)
        yield


def materialize_splits(
    folder: CsvFolder,
    stages: tuple[Stage, ...],
    image_config: dict[str, Any],
    experiment: str | None = None,
    loaded: LoadedRecipe | None = None,
) -> tuple[list[tuple[SplitState, dict[str, Any]]], list[RelightError]]:
    """Materialize each split of a folder with a progress bar; where each then stands, and its stages' metadata.

    With an ``experiment``, ``loaded`` is its recipe.  A CSV that cannot be used and a split whose run fails do not stop
    the others; the error is told, and returned.  A CSV without rows is named, and no error.
    """
    can_be_stopped()
    launch = dagster_part("defs.runs.launch")
    with known_warnings_off():
        definitions = dagster_part("definitions").defs()
    settings = load_settings()
    loaded = loaded or load_project_recipe()
    done: list[tuple[SplitState, dict[str, Any]]] = []
    errors: list[RelightError] = []
    with launch.instance_of(settings, say) as instance:
        csvs = check_csvs(folder, dagster_part("defs.assets.splits").known_csvs(instance))
        for path, fault in csvs.faults.items():
            tell_error(path, fault)
            errors.append(fault)
        for path in csvs.empty.values():
            tell("note", "yellow", no_rows(path))
        instance.add_dynamic_partitions("splits", list(csvs.usable))  # of one that was mended a moment ago, too
        for name, path in csvs.usable.items():
            layout = SplitLayout(split_folder(settings.output_root, name, experiment))
            try:
                launch.wait_for_pool(instance, report=say)
                with progress_bar(layout, name):
                    asked = {"split": name, "stages": stages, "image_config": image_config}
                    if experiment is None:
                        launched = launch.materialize(definitions, instance, **asked)
                    else:
                        launched = launch.try_recipe(
                            definitions, instance, **asked, experiment=experiment, loaded=loaded
                        )
                done.append((load_split_state(read_csv(path), loaded.recipe, settings, experiment), launched.metadata))
            except (InterruptedRunError, KeyboardInterrupt):
                stopped = InterruptedRunError()
                tell("error", "bold red", str(stopped))
                errors.append(stopped)
                break
            except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
                told = error if isinstance(error, RelightError) else unexpected(error)
                tell_error(path, told)
                errors.append(told)
    return done, errors
