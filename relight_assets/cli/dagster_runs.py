"""Dagster for the command line: imported when it is needed, and asked to run splits one after the other."""

import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from relight_assets.cli.terminal.messages import print_error, print_line, print_note, print_split_error
from relight_assets.cli.terminal.progress_bar import progress_bar
from relight_assets.config.context import ProjectContext
from relight_assets.config.project import ProjectSource
from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.core.messages.crash_reports import unexpected
from relight_assets.dataset.csv.contents import check_csvs
from relight_assets.dataset.csv.folder import CsvFolder, no_rows
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import InterruptedRunError, RelightError
from relight_assets.stages.base import Stage

T = TypeVar("T")

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


@contextmanager
def known_warnings_off() -> Iterator[None]:
    """Hide :data:`KNOWN_WARNINGS` of Dagster."""
    with warnings.catch_warnings():
        for start in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=start)
        yield


def materialize_splits(
    source: ProjectSource,
    project: ProjectContext,
    folder: CsvFolder,
    stages: tuple[Stage, ...],
    image_config: dict[str, Any],
    *,
    experiment: str | None = None,
    loaded: LoadedRecipe | None = None,
) -> tuple[list[tuple[SplitState, dict[str, Any]]], list[RelightError]]:
    """Materialize each split of a folder with a progress bar; where each then stands, and its stages' metadata.

    With an ``experiment``, ``loaded`` is its recipe.  Errors are those of :func:`each_split`.
    """
    settings, loaded = project.settings, loaded or project.loaded
    states: dict[str, SplitState] = {}

    def materialize(splits: "Splits", name: str) -> tuple[SplitState, dict[str, Any]]:
        from relight_assets.defs.runs import launch  # noqa: PLC0415  (Dagster is slow)
        from relight_assets.defs.runs.pool import wait_for_pool  # noqa: PLC0415

        wait_for_pool(splits.instance, report=print_line)
        given: dict[str, Any] = {"split": name, "stages": stages, "image_config": image_config}
        with progress_bar(SplitLayout(split_folder(settings.output_root, name, experiment)), name):
            if experiment is None:
                launched = launch.materialize(splits.definitions, splits.instance, **given)
            else:
                launched = launch.try_recipe(
                    splits.definitions, splits.instance, experiment=experiment, loaded=loaded, **given
                )
        return states.pop(name), launched.metadata

    return each_split(source, project, folder, materialize, states)


@dataclass(frozen=True)
class Splits:
    """What is needed to run something on the splits of a project."""

    definitions: Any
    instance: Any


def each_split(
    source: ProjectSource,
    project: ProjectContext,
    folder: CsvFolder,
    work: Callable[[Splits, str], T],
    states: dict[str, SplitState] | None = None,
) -> tuple[list[T], list[RelightError]]:
    """Do something with each split of a folder, one after the other; what came of it, and what is wrong.

    A CSV that cannot be used and a split whose run fails do not stop the others; the error is printed, and returned.  A
    CSV without rows is named, and no error.  ``states``: where the splits stand after their runs.
    """
    can_be_stopped()
    with known_warnings_off():
        # Not at the top: Dagster takes two seconds to import, and every worker process would pay them too.
        from relight_assets.definitions import build_definitions  # noqa: PLC0415
        from relight_assets.defs.assets.splits import known_csvs  # noqa: PLC0415
        from relight_assets.defs.runs.instance import instance_of  # noqa: PLC0415

        definitions = build_definitions(source, project, states)
    done: list[T] = []
    errors: list[RelightError] = []
    with instance_of(project.settings, project.folder, print_line) as instance:
        csvs = check_csvs(folder, known_csvs(instance))
        for path, fault in csvs.faults.items():
            print_split_error(path, fault)
            errors.append(fault)
        for path in csvs.empty.values():
            print_note(no_rows(path))
        instance.add_dynamic_partitions("splits", list(csvs.usable))  # of one that was mended a moment ago, too
        for name, path in csvs.usable.items():
            try:
                done.append(work(Splits(definitions, instance), name))
            except (InterruptedRunError, KeyboardInterrupt):
                stopped = InterruptedRunError()
                print_error(str(stopped))
                errors.append(stopped)
                break
            except Exception as error:  # noqa: BLE001  (none of it is the fault of the splits that follow)
                shown = error if isinstance(error, RelightError) else unexpected(error)
                print_split_error(path, shown)
                errors.append(shown)
    return done, errors
