"""Are the CSVs that went out of a split those of its input and its pictures?"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from relight_assets.dataset.csv.read import OUTPUT_COLUMN, VARIANT_COLUMN
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.engine.state.scan import Survey
from relight_assets.storage.files import read_regular


@dataclass(frozen=True)
class Fault:
    """Something that is not as it must be.

    ``code``: missing, altered, record, background, metric, replay, duplicate, mapping, source, origin.
    """

    code: str
    file: Path
    text: str


def mapping_faults(survey: Survey, path: Path, shown: Path | None = None) -> Iterator[Fault]:
    """Hold a mapping CSV against the input's rows, in order, and against the outputs that there are.

    ``shown`` is the file that faults name, if it is not yet in its place.
    """
    for fault in _mapping_faults(survey, path):
        yield replace(fault, file=shown or path)


def _mapping_faults(survey: Survey, path: Path) -> Iterator[Fault]:
    rows = _rows(path)
    if isinstance(rows, Fault):
        yield rows
        return
    table = survey.split.table
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    if header != [*table.columns, OUTPUT_COLUMN]:
        yield Fault("mapping", path, f"has the columns {', '.join(header) or 'none'}")
        return
    inputs = [list(row) for row in table.itertuples(index=False, name=None)]
    if [row[:-1] for row in body] != inputs:
        yield Fault("mapping", path, f"has {len(body)} rows that are not the input's {len(inputs)}, in order")
        return
    wanted = ["" if output is None else str(output.absolute()) for output in survey.outputs()]
    for number, (row, output) in enumerate(zip(body, wanted, strict=True)):
        if row[-1] != output:
            told = f"row {number + 1} says {row[-1] or 'nothing'} where there is {output or 'no current output'}"
            yield Fault("mapping", path, told)
        elif output and not os.path.isfile(output):  # noqa: PTH113  (never an error)
            yield Fault("mapping", path, f"row {number + 1}: there is no file {output}")


def variants_faults(survey: Survey, path: Path) -> Iterator[Fault]:
    """Hold the CSV of all lights, if there are several, against the input's rows and the pictures that there are."""
    if survey.variants == 1:
        return
    rows = _rows(path)
    if isinstance(rows, Fault):
        yield rows
        return
    inputs = survey.split.table.itertuples(index=False, name=None)
    wanted = [[*survey.split.table.columns, VARIANT_COLUMN, OUTPUT_COLUMN]]
    wanted += [
        [*row, str(number), str(picture.absolute())]
        for row, pictures in zip(inputs, survey.variant_outputs(), strict=True)
        for number, picture in enumerate(pictures, start=1)
    ]
    if rows != wanted:
        told = f"has {len(rows)} lines that are not those of the {len(wanted) - 1} lights that there are, in order"
        yield Fault("mapping", path, told)


def _rows(path: Path) -> list[list[str]] | Fault:
    try:
        if (data := read_regular(path)) is None:
            return Fault("mapping", path, "is not a file")
        return list(csv_reader(data.decode("utf-8")))  # as text, line ends in cells would change
    except FileNotFoundError:
        return Fault("mapping", path, "is not there; `relight run` writes it")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return Fault("mapping", path, f"cannot be read: {error}")
