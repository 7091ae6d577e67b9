"""A run of a split's images within a run of Dagster: its snapshot of the CSV, its log, and its CSVs when it fails."""

import logging
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.settings import Settings
from relight_assets.core.best_effort import best_effort
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.defs.metadata.warnings import Warnings
from relight_assets.defs.publishing import publish
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.engine.progress import Progress
from relight_assets.engine.publish import check_output_csvs
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.errors import OtherPhotosError

_LOG = logging.getLogger(__name__)
LOG_EVERY_S = 5.0
WAIT_S = 10.0
"""Another run of the split that is done with its images, and so with the pool, holds the folder once more for seconds:
it writes its mapping."""
REPLACE = (
    "Make this CSV the folder's although it names other photos than its images were made of; those are redone. Never "
    "set by a sensor or schedule."
)


class Context(Protocol):
    """What assets and ops are both given."""

    @property
    def log(self) -> Any:
        """The run's log."""


def run_images(
    context: Context, split: SplitCsv, loaded: LoadedRecipe, settings: Settings, options: RunOptions
) -> RunSummary:
    """Bring a split up to date, telling the run's log how far it is.

    Raises:
        OutputFolderError: the CSVs that go out cannot be written; nothing was begun.
        RelightError: it could not do its work; the CSVs say how the split stands all the same.
    """
    check_output_csvs(split.path, settings, options.experiment)
    for warning in loaded.warnings:
        context.log.warning(warning)
    try:
        summary = run_split(split, loaded.recipe, settings, replace(options, wait_s=WAIT_S), _Log(context))
    except OtherPhotosError:
        raise  # nothing in the folder is of this CSV
    except BaseException:
        # What is downstream is skipped now, when the CSVs are needed most.
        with suppress(Exception):
            name = options.experiment
            # An experiment whose start was refused still is of the recipe that it was run with before.
            if name is None or experiment_recipe(split.split, settings, name).recipe == loaded.recipe:
                publish(split, loaded, settings, name, failures=True)
        raise
    rows = summary.state.row_counts()
    if rows["failed"] or rows["rejected"]:
        notice = (
            f"{split.split}: {rows['failed']} rows failed, {rows['rejected']} were rejected; `dead_letters` lists them"
        )
        with best_effort("the run's log", _LOG.warning):
            context.log.warning(notice)
    return summary


def warnings_of(context: Context, summary: RunSummary) -> Warnings:
    """The warnings of a step, with those of the run that it made."""
    warn = Warnings(context.log)
    for notice in summary.warnings:
        warn(notice)
    return warn


class _Log:
    """Logs progress every few seconds, never per image: events are rows in a database."""

    def __init__(self, context: Context):
        self._context = context
        self._last = time.monotonic()
        self._notices: Counter[str] = Counter()

    def __call__(self, progress: Progress) -> None:
        for notice in progress.notices[self._notices[progress.counted] :]:
            self._context.log.warning(f"{progress.split}: {notice}")
        self._notices[progress.counted] = len(progress.notices)
        if not progress.finished and time.monotonic() - self._last < LOG_EVERY_S:
            return
        self._last = time.monotonic()
        eta = f", {progress.eta_s:.0f} s to go" if progress.eta_s and not progress.finished else ""
        devices = "".join(f"\n{device}" for device in progress.devices)
        self._context.log.info(
            f"{progress.split}: {progress.done} of {progress.total} {progress.counted}, {progress.failed} failed, "
            f"{progress.images_per_s:.2f} images/s{eta}{devices}"
        )
