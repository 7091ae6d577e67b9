"""Are the CSVs that went out of a split those of its input and its images?"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

from relight_assets.dataset.csv.read import OUTPUT_COLUMN, VARIANT_COLUMN
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.engine.state.image_state import RowStatus
from relight_assets.engine.state.scan import SplitState
from relight_assets.storage.base import Storage


@dataclass(frozen=True)
class Fault:
    """Something that is not as it must be.

    ``code``: missing, altered, record, background, metric, replay, light, duplicate, mapping, source, origin; and
    stale, which the next run mends.
    """

    code: str
    file: Path
    text: str


def mapping_faults(state: SplitState, path: Path, shown: Path | None = None) -> Iterator[Fault]:
    """Hold a mapping CSV against the input's rows, in order, and against the outputs that there are.

    ``shown`` is the file that faults name, if it is not yet in its place.
    """
    for fault in _mapping_faults(state, path):
        yield replace(fault, file=shown or path)


def _mapping_faults(state: SplitState, path: Path) -> Iterator[Fault]:
    split, storage = state.split, state.layout.storage
    found: list[Fault] = []
    count = same = 0
    try:
        rows = _rows(path, storage)
        header = next(rows, [])
        if header != [*split.columns, OUTPUT_COLUMN]:
            yield Fault("mapping", path, f"has the columns {', '.join(header) or 'none'}")
            return
        for row, given, output in zip_longest(rows, split.rows(), state.outputs()):
            count += 1
            if row is not None and given is not None and row[:-1] == [*given]:
                same += 1
                wanted = "" if output is None else str(output.absolute())
                found += _output_faults(path, same, row[-1], wanted, storage=storage, status=state.row_status(same - 1))
    except _UnreadableError as error:
        yield error.fault
        return
    if same != count:
        lines = sum(1 for _ in _rows(path, storage)) - 1
        yield Fault("mapping", path, f"has {lines} rows that are not the input's {len(split.lines)}, in order")
        return
    yield from found


def _output_faults(
    path: Path, number: int, named: str, output: str, *, storage: Storage, status: RowStatus
) -> Iterator[Fault]:
    """What is wrong with the output that a row names, given the one that there is."""
    if named and not output and status == "pending":
        yield Fault("stale", path, f"row {number} names {named}, which is to be made anew; run the split again")
    elif output and not named:
        yield Fault("stale", path, f"row {number} does not name {output} yet; run the split again")
    elif named != output:
        message = f"row {number} says {named or 'nothing'} where there is {output or 'no current output'}"
        yield Fault("mapping", path, message)
    elif output and storage.kind(output) != "a file":
        yield Fault("mapping", path, f"row {number}: there is no file {output}")


def variants_faults(state: SplitState, path: Path) -> Iterator[Fault]:
    """Hold the CSV of all lights, if there are several, against the input's rows and the images that there are."""
    if state.variants == 1:
        return
    lights = (
        [*row, str(number), str(image.absolute())]
        for row, images in zip(state.split.rows(), state.variant_outputs(), strict=True)
        for number, image in enumerate(images, start=1)
    )
    wanted = chain([[*state.split.columns, VARIANT_COLUMN, OUTPUT_COLUMN]], lights)
    try:
        rows = _rows(path, state.layout.storage)
        pairs = [(row is not None, one is not None, row == one) for row, one in zip_longest(rows, wanted)]
    except _UnreadableError as error:
        yield error.fault
        return
    if not all(same for _, _, same in pairs):
        there, due = (sum(pair[side] for pair in pairs) for side in (0, 1))
        message = f"has {there} lines that are not those of the {due - 1} lights that there are, in order"
        yield Fault("mapping", path, message)


class _UnreadableError(Exception):
    def __init__(self, path: Path, text: str):
        super().__init__(text)
        self.fault = Fault("mapping", path, text)


def _rows(path: Path, storage: Storage) -> Iterator[list[str]]:
    """The rows of a CSV.

    Raises:
        _UnreadableError: it cannot be read, or not to its end.
    """
    try:
        if (data := storage.read(path)) is None:
            raise _UnreadableError(path, "is not a file")
        yield from csv_reader(data.decode("utf-8"))  # as text, line ends in cells would change
    except FileNotFoundError:
        raise _UnreadableError(path, "is not there; `relight run` writes it") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _UnreadableError(path, f"cannot be read: {error}") from error
