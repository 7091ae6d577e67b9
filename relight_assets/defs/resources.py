"""What a run works with: the settings, the recipe, the split's CSV, and how errors reach the UI."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from relight_assets.config.loader import LoadedRecipe
from relight_assets.config.settings import Settings, load_project_recipe, load_settings
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.errors import RelightError, UserError
from relight_assets.quality.feasibility import check_feasible

SNAPSHOT = "snapshot"
"""The key of the resource :class:`Snapshot`."""


def project_recipe() -> LoadedRecipe:
    """The recipe file's recipe, which is that of the splits' own folders.

    Raises:
        ConfigError: it cannot be used.
    """
    loaded = load_project_recipe()
    check_feasible(loaded.recipe)
    return loaded


def settings_for(num_gpus: int) -> Settings:
    """The platform's settings, with another number of GPUs unless that is 0."""
    settings = load_settings()
    return settings.model_copy(update={"num_gpus": num_gpus}) if num_gpus else settings


class Snapshot(dg.ConfigurableResource[Any]):
    """The CSVs of one run as they were when it first looked: one that changes meanwhile is the next run's."""

    _read: dict[str, SplitCsv] = PrivateAttr(default_factory=dict)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """Begin a run."""
        self._read.clear()

    def split_of(self, settings: Settings, name: str) -> SplitCsv:
        """The CSV of a partition, read once in a run.

        Raises:
            CsvError: there is none, or it cannot be read.
        """
        if name not in self._read:
            self._read[name] = split_of(settings, name)
        return self._read[name]


def split_of(settings: Settings, name: str) -> SplitCsv:
    """The CSV of a partition.

    Raises:
        CsvError: there is none, or it cannot be read.
    """
    return list_csvs(settings.csv_dir, settings.csv_glob).read(name)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Turn our own errors into a Dagster failure that shows the sentence and no traceback."""
    try:
        yield
    except RelightError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"code": error.code, "user_error": isinstance(error, UserError)},
            allow_retries=error.retryable,
        ) from None
