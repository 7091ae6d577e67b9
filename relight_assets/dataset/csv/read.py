"""Read the CSV of a split strictly.

A CSV is read once, as bytes: the sha256 and the rows are of the same moment even while somebody
replaces the file.  Whatever could silently change a row (ragged lines, a lost quote, another
encoding, doubled columns) is an error with its line number, and no cell's text is ever changed.
"""

import csv
import difflib
import fnmatch
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.dataset.layout import check_name
from relight_assets.errors import CsvError

if TYPE_CHECKING:
    import pandas as pd

IMAGE_COLUMN = "image_path"
OUTPUT_COLUMN = "output_image_path"
VARIANT_COLUMN = "output_variant"
"""Which of a portrait's lights, in the CSV of all of them."""
MAX_CSV_BYTES = 1 << 30
_NEVER_INPUTS = ("*_with_*.csv", "*_failures.csv", "*_variants.csv", "*.tmp", "*.part")
"""Our own output CSVs, and what somebody is still copying."""
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)  # the table is made once, when asked for
class SplitCsv:
    """A split's CSV as it was read.

    Attributes:
        path: the file.
        split: the split's name.
        sha256: of the file's bytes, hex.
        columns: the cells of every column that is kept, in the file's order, by its name; all text, none missing.
        lines: for each row of the table the line (from 1) of the file on which it starts.
        notes: what a person should know of how it was read, a sentence each.
    """

    path: Path
    split: str
    sha256: str
    columns: Mapping[str, list[str]]
    lines: list[int]
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of each row."""
        return zip(*self.columns.values(), strict=True)

    @cached_property
    def table(self) -> "pd.DataFrame":
        """The columns as a table of text; index 0..n-1."""
        import pandas as pd  # noqa: PLC0415  (a fifth of a second or more, which neither planning nor a worker needs)

        table = pd.DataFrame(self.columns, dtype="str")
        table.columns = table.columns.astype("str")
        return table


def is_output_csv(name: str) -> bool:
    """Whether a file name is one of our own output CSVs, or of a file that somebody is still copying."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _NEVER_INPUTS)


def name_part(path: Path) -> str:
    """What the name of a CSV gives as its split, whether or not that can be one."""
    return path.name.removesuffix(".csv").removesuffix("_images")


def split_name(path: Path) -> str:
    """The split of a CSV: its file name without ``.csv`` and without ``_images``.

    Raises:
        CsvError: the name is one of our own output files, or gives no usable name.
    """
    if is_output_csv(path.name):
        raise CsvError(f"{path} is a file that this platform writes, so it is never an input.")
    name = name_part(path)
    try:
        check_name("split", name)
    except CsvError as error:
        raise CsvError(f"{path}: {error} Rename the file.") from error
    return name


def read_split_csv(path: Path) -> SplitCsv:
    """Read and check a split's CSV.

    UTF-8 with or without a byte order mark, comma separated, RFC 4180 quotes; lines end in LF or CRLF.
    Blank lines are skipped.  A header without rows is a valid, empty split.  Columns without a name
    and without any content, which spreadsheets leave behind, are left out, with a note.  The first
    column may have content and no name: that is how pandas writes row labels.

    Raises:
        CsvError: anything else, naming the file and the line.
    """
    split = split_name(path)
    data = _read_bytes(path)
    text = _decoded(path, data)
    rows = _rows(path, text)
    start, header = next(rows, (1, []))
    _check_header(path, start, header)
    named = [column for column, name in enumerate(header) if name.strip()]
    kept = named if named[0] == 0 else [0, *named]  # pandas writes row labels into a first column without a name
    unnamed = [column for column, name in enumerate(header) if column > 0 and not name.strip()]
    lines: list[int] = []
    cells: list[list[str]] = [[] for _ in kept]
    held = list(zip(kept, cells, strict=True))
    for line, row in rows:
        if named[-1] < len(row) < len(header):
            row.extend([""] * (len(header) - len(row)))  # some spreadsheets leave out what is empty, in some rows
        if len(row) != len(header):
            raise CsvError(
                f"{path}, line {line}: {len(row)} fields where the header has {len(header)}. A cell that "
                f"holds a comma must be in double quotes."
            )
        for column in unnamed:
            if row[column].strip():
                raise CsvError(
                    f"{path}, line {line}: the cell {row[column][:40]!r} is in column {column + 1}, which has no name "
                    f"in line {start}. Name the column, or empty its cells."
                )
        lines.append(line)
        for column, column_cells in held:
            column_cells.append(row[column])
    if kept != named and not any(cell.strip() for cell in cells[0]):
        kept, cells = named, cells[1:]
    columns = {header[column]: column_cells for column, column_cells in zip(kept, cells, strict=True)}
    notes = _notes(path, len(header) - len(kept))
    return SplitCsv(path, split, sha256_hex(data), columns, lines, notes)


def _notes(path: Path, dropped: int) -> tuple[str, ...]:
    if not dropped:
        return ()
    columns = "1 column" if dropped == 1 else f"{dropped} columns"
    return (f"{path}: {columns} without a name and without content left out",)


def _read_bytes(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hang us
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise CsvError(f"{path} is not a regular file.")
            data = file.read(min(status.st_size, MAX_CSV_BYTES) + 1)  # one more, to notice a file that grows
            if len(data) > status.st_size:
                data += file.read(MAX_CSV_BYTES + 1 - len(data))
    except FileNotFoundError as error:
        raise CsvError(f"There is no CSV {path}.") from error
    except OSError as error:
        raise CsvError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_CSV_BYTES:
        raise CsvError(f"{path} is larger than {MAX_CSV_BYTES:,} bytes. Split it into several CSVs.")
    if not data.removeprefix(_UTF8_BOM).strip():
        raise CsvError(f"{path} is empty. It needs a header line with a column {IMAGE_COLUMN!r}.")
    return data


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith(_UTF16_BOMS):
        raise CsvError(f"{path} is UTF-16 text. Save it as UTF-8 (a spreadsheet calls it 'CSV UTF-8').")
    nul = data.find(b"\0")
    if nul >= 0:
        raise CsvError(f"{path}, line {_line(data, nul)}: a NUL byte, so this is no text. Export it again.")
    try:
        return data.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start + (len(_UTF8_BOM) if data.startswith(_UTF8_BOM) else 0)
        raise CsvError(
            f"{path}, line {_line(data, offset)}: the byte 0x{data[offset]:02X} is not UTF-8; the file may "
            f"be Latin-1 or Windows-1252. Save it as UTF-8."
        ) from error


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    # csv and not pandas' parser: it knows the lines, keeps cells as they are and refuses a lost quote.
    reader = csv_reader(text)
    start = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CsvError(
                f"{path}, line {start}: the row that starts here cannot be read ({error}). Most often a "
                f"double quote is missing or not doubled."
            ) from error
        if row:
            yield start, row
        start = reader.line_num + 1


def _check_header(path: Path, line: int, header: list[str]) -> None:
    doubled = sorted(name for name, count in Counter(header).items() if name.strip() and count > 1)
    if doubled:
        raise CsvError(f"{path}, line {line}: the column {doubled[0]!r} is there more than once. Rename one.")
    for ours in (OUTPUT_COLUMN, VARIANT_COLUMN):
        if ours in header:
            raise CsvError(
                f"{path}, line {line}: the column {ours!r} is there already, and an output CSV adds it. Rename it, "
                f"or give the CSV that this one was made from."
            )
    if IMAGE_COLUMN in header:
        return
    raise CsvError(f"{path}, line {line}: there is no column {IMAGE_COLUMN!r}{_hint(header)}.")


def _hint(header: list[str]) -> str:
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and separator in header[0]:
            return f"; the columns seem to be separated by {name}, and commas are needed"
    folded = {name.strip().casefold(): name for name in header}
    near = difflib.get_close_matches(IMAGE_COLUMN, list(folded), n=1, cutoff=0.5)
    shown = ", ".join(repr(name[:40]) for name in header[:10])
    return f"; the nearest is {folded[near[0]]!r}" if near else f" among {shown}"
