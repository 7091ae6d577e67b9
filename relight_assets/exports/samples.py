"""``samples.csv`` of a split: every finished pair with every label, whatever is exported of it; and as Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.engine.state.scan import SplitState
from relight_assets.errors import OutputFolderError
from relight_assets.exports.rows.labels import columns, types
from relight_assets.exports.rows.pairs import PairSource

_AT_ONCE = 5000
"""Rows of a block of the CSV, and of a row group."""


@dataclass(frozen=True)
class Samples:
    """What was written."""

    rows: int
    csv: Path
    parquet: Path | None
    """None: ``pyarrow`` is not installed."""


def write_samples(state: SplitState, licence_column: str | None = None) -> Samples:
    """Write the label table of a split into its folder, as CSV and, with ``pyarrow``, as Parquet.

    Files are named as they lie beside the table: the target is the photo, the mask the alpha of the foreground.

    Args:
        state: as the split stands.
        licence_column: the CSV's column of licences; None: `licence` or `license`, where it has one.

    Raises:
        UserError: the CSV has no such column.
        OutputFolderError: a run is writing the split, or a table cannot be written.
    """
    layout = state.layout
    parquet = layout.samples_parquet if find_spec("pyarrow") is not None else None
    source = PairSource(state, None, ExportOptions(resolution="source", licence_column=licence_column))
    with locked_folder(layout):
        try:
            counted = _Counted(source.rows())
            layout.storage.put(layout.samples, csv_blocks(counted))
            if parquet is not None:
                layout.storage.put(parquet, parquet_blocks(source.rows()))
        except OSError as error:
            raise OutputFolderError(f"{layout.samples} cannot be written: {error.strerror or error}") from error
    return Samples(counted.count, layout.samples, parquet)


class _Counted:
    """Rows, counted as they pass."""

    def __init__(self, rows: Iterable[dict[str, Any]]):
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def csv_blocks(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The table as CSV, many rows at a time; what was not measured is an empty cell."""
    rest = iter(rows)
    some: list[Mapping[str, Any]] = []
    first = True
    while first or some:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        if first:
            writer.writerow(columns())
        writer.writerows(["" if value is None else value for value in row.values()] for row in some)
        yield text.getvalue().encode("utf-8", "surrogateescape")
        some, first = list(islice(rest, _AT_ONCE)), False


def parquet_blocks(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The table as Parquet, with the types of :func:`labels.types`, a row group at a time."""
    import pyarrow as pa  # noqa: PLC0415  (of the extra alone)
    import pyarrow.parquet as pq  # noqa: PLC0415

    arrow = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, arrow[types()[name]]) for name in columns()])
    rest, written = iter(rows), _Written()
    with pq.ParquetWriter(written, schema) as writer:
        while some := list(islice(rest, _AT_ONCE)):
            writer.write_table(pa.Table.from_pylist([dict(row) for row in some], schema=schema))
            yield written.taken()
    yield written.taken()


class _Written(io.RawIOBase):
    """A stream whose bytes are taken away as they are written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Nothing: the last bytes are taken after the writer has closed it."""

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
