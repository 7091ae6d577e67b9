"""Putting a split's mapping in its place, once what it names was checked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.defs.checks.mapping_checks import blocking_checks
from relight_assets.defs.resources import RunInputs
from relight_assets.defs.runs.step_process import is_step_process
from relight_assets.engine.publish import (
    StagedMapping,
    mapping_is_current,
    stage_mapping,
    withdraw_stale_outputs,
    write_split_failures,
)
from relight_assets.engine.state.identity import refusal
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState, is_unchanged, of_this_run
from relight_assets.errors import OtherPhotosError, UserError
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

SIBLING_S = 600.0
"""Under a multiprocess executor `mapping_csv` and `dead_letters` are steps side by side, and each locks the folder."""
Check = Callable[[StagedMapping], Sequence[dg.AssetCheckResult]]


@dataclass(frozen=True)
class Published:
    """What came of a mapping."""

    state: SplitState
    staged: StagedMapping
    checks: Sequence[dg.AssetCheckResult]

    @property
    def done(self) -> bool:
        """Whether the checks let it through; the one before stays otherwise, without what no longer holds."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """The blocking checks that failed."""
        severe = dg.AssetCheckSeverity.ERROR
        return [str(check.check_name) for check in self.checks if not check.passed and check.severity is severe]


@contextmanager
def locked_state(
    split: SplitCsv,
    recipe: Recipe,
    settings: Settings,
    experiment: str | None = None,
    storage: Storage = LOCAL,
    *,
    known: SplitState | None = None,
) -> Iterator[SplitState]:
    """Where a split stands, while nobody writes in its folder: as it is ``known``, if that still holds.

    Raises:
        OtherPhotosError: the folder's images were made of other photos than the CSV names.
        OutputFolderError: somebody writes there, or it cannot be read.
    """
    layout = SplitLayout(split_folder(settings.output_root, split.split, experiment), storage)
    with locked_folder(layout, to_read=True, wait_s=SIBLING_S if is_step_process() else 0.0):
        if known is not None and is_unchanged(known):
            state = known
        else:
            state = of_this_run(load_split_state(split, recipe, settings, experiment, storage=storage), recipe)
        if (reason := refusal(state)) is not None:
            raise OtherPhotosError(reason)
        yield state


@contextmanager
def locked_partition(run_inputs: RunInputs, partition: str) -> Iterator[SplitState]:
    """Where the split of a partition stands, while nobody writes in its folder; later steps of the run start from it.

    Raises:
        CsvError: there is no such split, or its CSV cannot be read.
        ConfigError: settings or recipe cannot be used.
        OtherPhotosError, OutputFolderError: as :func:`locked_state`.
    """
    project, split = run_inputs.project(), run_inputs.split(partition)
    known = run_inputs.states.get(partition)
    with locked_state(split, project.recipe, project.settings, known=known) as state:
        run_inputs.states[partition] = state
        yield state


def published_partition(run_inputs: RunInputs, partition: str) -> SplitState:
    """Where a split stands whose published mapping is that of its images as they are.

    Raises:
        UserError: it is not.
        CsvError, ConfigError, OtherPhotosError, OutputFolderError: as :func:`locked_partition`.
    """
    with locked_partition(run_inputs, partition) as state:
        if not mapping_is_current(state, run_inputs.project().settings):
            raise UserError(
                f"the mapping of `{partition}` is not of its images as they are now, or a blocking check failed: "
                f"materialize mapping_csv first"
            )
    return state


def publish(
    split: SplitCsv,
    loaded: LoadedRecipe,
    settings: Settings,
    experiment: str | None = None,
    *,
    check: Check | None = None,
    failures: bool = False,
    storage: Storage = LOCAL,
    known: SplitState | None = None,
) -> Published:
    """Write the mapping of a split as it stands, and put it in its place if no blocking check fails.

    Args:
        split: the CSV.
        loaded: the recipe that its images are to be of.
        settings: the platform's.
        experiment: of which the images are; None: the split's own.
        check: what to check; None: the blocking checks alone.
        failures: write the CSV of the failed rows too, of the same moment.
        storage: where the split's files lie.
        known: where it stood when a run of it ended; None: nobody knows.

    Raises:
        OtherPhotosError, OutputFolderError: as :func:`locked_state`.
        CsvError: a CSV cannot be written.
    """
    with locked_state(split, loaded.recipe, settings, experiment, storage, known=known) as state:
        staged = stage_mapping(state, settings, experiment)
        try:
            checks = check(staged) if check is not None else blocking_checks(staged, loaded, settings)
            published = Published(state, staged, checks)
            if published.done:
                staged.publish()
            else:
                withdraw_stale_outputs(state, settings, experiment)
        finally:
            staged.discard()
        if failures:
            write_split_failures(state, settings, experiment)
    return published
