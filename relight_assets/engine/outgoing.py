"""The CSVs that go out of a split: the mapping, and the rows that have no picture."""

from collections.abc import Iterator
from pathlib import Path

from relight_assets.dataset.layout import experiment_folder
from relight_assets.dataset.mapping_csv import (
    FailureRow,
    outgoing_paths,
    remove_variants,
    write_failures,
    write_mapping,
    write_variants,
)
from relight_assets.engine.survey import Survey
from relight_assets.errors import BlankPathError, CsvError
from relight_assets.settings import Settings


def mapping_path(survey: Survey, settings: Settings, experiment: str | None = None) -> Path:
    """Where the mapping of a split goes."""
    return _paths(survey, settings, experiment)[0]


def failures_path(survey: Survey, settings: Settings, experiment: str | None = None) -> Path:
    """Where the failed rows of a split go."""
    return _paths(survey, settings, experiment)[1]


def variants_path(survey: Survey, settings: Settings, experiment: str | None = None) -> Path:
    """Where the rows of all variants go, if there are several."""
    return _paths(survey, settings, experiment)[2]


def write_split_mapping(survey: Survey, settings: Settings, experiment: str | None = None) -> Path:
    """Write the mapping of a split as it stands; where portraits have several lights, the CSV of all of them too.

    Raises:
        CsvError: it cannot be written.
    """
    target = mapping_path(survey, settings, experiment)
    _make_folder(target)
    write_mapping(survey.split, survey.outputs(), target)
    every_light = variants_path(survey, settings, experiment)
    if survey.variants > 1:
        write_variants(survey.split, survey.variant_outputs(), every_light)
    else:
        remove_variants(every_light)
    return target


def write_split_failures(survey: Survey, settings: Settings, experiment: str | None = None) -> list[FailureRow]:
    """Write the rows that failed or were rejected, and return them.

    Raises:
        CsvError: they cannot be written.
    """
    rows = list(_failure_rows(survey))
    target = failures_path(survey, settings, experiment)
    _make_folder(target)
    write_failures(survey.split, rows, target)
    return rows


def _paths(survey: Survey, settings: Settings, experiment: str | None = None) -> tuple[Path, Path, Path]:
    # An experiment's CSVs never replace the split's own.
    folder = settings.mapping_dir if experiment is None else experiment_folder(settings.output_root, experiment)
    return outgoing_paths(survey.split.path, folder)


def _make_folder(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CsvError(f"the folder {target.parent} cannot be made: {error}; check mapping_dir") from error


def _failure_rows(survey: Survey) -> Iterator[FailureRow]:
    cells = survey.split.table["image_path"]
    for key, cell, line in zip(survey.keys, cells, survey.split.lines, strict=True):
        if key is None:
            yield FailureRow(line, cell, BlankPathError.code, "masks", "the image_path cell is empty")
            continue
        failure = survey.images[key].failure
        if failure is not None:
            yield FailureRow(line, cell, failure.code, failure.stage or "masks", failure.message)
