"""Tables without some of their rows: CSV, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from relight_assets.dataset.csv.text import csv_reader

Row = Mapping[str, Any]
Drops = Callable[[Row], bool]


@dataclass(frozen=True)
class Kept:
    """What stays of a table."""

    rows: list[dict[str, Any]]
    data: bytes
    """All of the file as it is to be."""
    dropped: list[dict[str, Any]]


def kept_csv(path: Path, drops: Drops) -> Kept:
    """A CSV without the rows that ``drops`` takes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no whole table.
    """
    reader = csv_reader(path.read_bytes().decode("utf-8", "surrogateescape"))
    try:
        header = next(reader, [])
        rows = [dict(zip(header, row, strict=True)) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"it is damaged: {error}") from error
    kept, dropped = _parted(rows, drops)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(row.values() for row in kept)
    return Kept(kept, text.getvalue().encode("utf-8", "surrogateescape"), dropped)


def kept_lines(path: Path, drops: Drops) -> Kept:
    """A file of JSON objects, one a line, likewise; a line that is none, as when it was cut off, goes too.

    Raises:
        OSError: it cannot be read.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    parsed = [(line, _object(line)) for line in lines if line.strip()]
    kept = [(line, row) for line, row in parsed if row is not None and not drops(row)]
    dropped = [row or {} for _, row in parsed if row is None or drops(row)]
    return Kept([row for _, row in kept if row is not None], b"".join(line for line, _ in kept), dropped)


def kept_parquet(path: Path, drops: Drops) -> Kept | None:
    """A label table as Parquet likewise; None where nobody can read it here, or it is none.

    Raises:
        OSError: it cannot be read.
    """
    if find_spec("pyarrow") is None:
        return None
    import pyarrow as pa  # noqa: PLC0415  (of the extra alone)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(path)
    except pa.ArrowException:
        return None
    kept, dropped = _parted(table.to_pylist(), drops)
    data = io.BytesIO()
    if dropped:
        pq.write_table(table.filter(pa.array([not drops(row) for row in table.to_pylist()], pa.bool_())), data)
    return Kept(kept, data.getvalue(), dropped)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _parted(rows: list[dict[str, Any]], drops: Drops) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [row for row in rows if not drops(row)], [row for row in rows if drops(row)]
