"""The CSVs that go out: where each row's picture is, and why a row has none."""

import codecs
import csv
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from relight_assets.core.regular_files import open_regular
from relight_assets.dataset.csv.read import IMAGE_COLUMN, OUTPUT_COLUMN, VARIANT_COLUMN, SplitCsv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.errors import CsvError, PathRefusedError
from relight_assets.storage.base import Storage
from relight_assets.storage.local import LOCAL

_VARIANT_COLUMNS = (VARIANT_COLUMN, OUTPUT_COLUMN)
_SIGNS = "=+@|%\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20-"
"""With which a formula begins, those of full width and small ones too, which spreadsheets take for the others."""
_PASSED_OVER = (
    r"\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\"'`\xab\xbb\u2018-\u201f\uff02\uff07"
)
"""What may stand before it: blanks, what is not seen, and quotes, which an import may take off."""
_FORMULA = re.compile(rf"(?:\A|(?<=;))(?=[{_PASSED_OVER}]*[{_SIGNS}]|[\t\r\n])")
"""Where one begins.  After a semicolon too: in half of the world it separates the cells of a CSV."""
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row that has no picture: its line in the input CSV (from 1), its cell, and why."""

    line: int
    image_path: str
    code: str
    stage: str
    message: str


_ENDINGS = ("_with_relighting_outputs.csv", "_failures.csv", "_variants.csv")


def names_pictures(path: Path) -> bool:
    """Whether a file has the name of a CSV that names pictures."""
    return path.name.endswith((_ENDINGS[0], _ENDINGS[2]))


def outgoing_paths(csv_path: Path, mapping_dir: Path | None) -> tuple[Path, Path, Path]:
    """The mapping, the failures and the variants CSV of an input CSV: in ``mapping_dir``, or beside the input."""
    folder = csv_path.parent if mapping_dir is None else mapping_dir
    stem = csv_path.name.removesuffix(".csv")
    mapping, failures, variants = (folder / f"{stem}{ending}" for ending in _ENDINGS)
    return mapping, failures, variants


def mapping_text(split: SplitCsv, outputs: Sequence[Path | None]) -> bytes:
    """The input's columns and rows, in order and with the same text, plus ``output_image_path``; UTF-8, LF.

    Args:
        split: the input.
        outputs: for each row the finished picture, or None; written as absolute paths.

    Raises:
        ValueError: not one output for each row.
    """
    rows = split.table.itertuples(index=False, name=None)
    lines = (
        (*row, "" if output is None else str(output.absolute())) for row, output in zip(rows, outputs, strict=True)
    )
    return _text((*split.table.columns, OUTPUT_COLUMN), lines)


def variants_text(split: SplitCsv, outputs: Sequence[Sequence[Path]]) -> bytes:
    """A row for each light of each finished row: the input's columns, ``output_variant`` and the picture.

    Args:
        split: the input.
        outputs: for each row the pictures of its variants, numbered from 1; none where it is not finished.

    Raises:
        ValueError: not one list for each row.
    """
    rows = split.table.itertuples(index=False, name=None)
    lines = (
        (*row, number, str(path.absolute()))
        for row, paths in zip(rows, outputs, strict=True)
        for number, path in enumerate(paths, start=1)
    )
    return _text((*split.table.columns, *_VARIANT_COLUMNS), lines)


def write_outgoing(split: SplitCsv, text: bytes, target: Path, storage: Storage = LOCAL) -> None:
    """Write an outgoing CSV of a split atomically.

    Raises:
        CsvError: ``target`` is the input CSV, or cannot be written.
    """
    if os.path.realpath(target) == os.path.realpath(split.path) or _same_file(target, split.path):
        raise CsvError(f"{target} is the input CSV, which is never written. Set another mapping_dir.")
    try:
        storage.put(target, text, durable=True)
    except OSError as error:
        raise _not_written(target, error) from error


def write_mapping(split: SplitCsv, outputs: Sequence[Path | None], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`mapping_text` atomically; raises as that and :func:`write_outgoing`."""
    write_outgoing(split, mapping_text(split, outputs), target, storage)


def write_variants(split: SplitCsv, outputs: Sequence[Sequence[Path]], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`variants_text` atomically; raises as that and :func:`write_outgoing`."""
    write_outgoing(split, variants_text(split, outputs), target, storage)


def write_failures(split: SplitCsv, rows: Iterable[FailureRow], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`failures_text` atomically; raises as :func:`write_outgoing`."""
    write_outgoing(split, failures_text(rows), target, storage)


def withdraw_outputs(target: Path, stays: Callable[[str, str], bool], storage: Storage = LOCAL) -> None:
    """Take out of a mapping, or of the CSV of all variants, the pictures that are not, or soon not, those of its rows.

    A mapping's row gets an empty cell, a variant's row goes; of a damaged CSV the header stays.  Another file is left
    alone, and nothing is written where there is nothing to take out.

    Args:
        target: a CSV that :func:`mapping_text` or :func:`variants_text` gave; an editor may have saved it anew since.
        stays: given the ``image_path`` of a row and its picture, whether that stays.
        storage: where it lies.

    Raises:
        CsvError: it cannot be read or written.
    """
    try:
        data = storage.read(target) or b""
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""  # of whoever saved it anew
        text = mark + _withdrawn(data.removeprefix(mark), stays)
        if text != data:
            storage.put(target, text, durable=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _not_written(target, error) from error


def _withdrawn(data: bytes, stays: Callable[[str, str], bool]) -> bytes:
    # Cells in another encoding, of whoever saved it anew, stay what they are.
    text = data.decode("utf-8", "surrogateescape")
    reader = csv_reader(text)
    try:
        header: list[str] = next(reader, [])
    except csv.Error:
        return data
    if IMAGE_COLUMN not in header or OUTPUT_COLUMN not in header:
        return data
    image, output = header.index(IMAGE_COLUMN), header.index(OUTPUT_COLUMN)
    try:
        rows = [row for row in reader if row]
    except csv.Error:
        return _text(header, [])
    if any(len(row) != len(header) for row in rows):
        return _text(header, [])
    bad = [bool(row[output]) and not stays(row[image], row[output]) for row in rows]
    if not any(bad):
        return data
    if VARIANT_COLUMN in header:
        return _text(header, [row for row, gone in zip(rows, bad, strict=True) if not gone])
    for row, gone in zip(rows, bad, strict=True):
        row[output] = "" if gone else row[output]
    return _text(header, rows)


def is_variants(target: Path) -> bool:
    """Whether a file is a CSV that :func:`variants_text` gave."""
    try:
        with open_regular(target) as file:
            header = file.readline().decode("utf-8").rstrip("\n")
    except (OSError, PathRefusedError, UnicodeDecodeError):
        return False
    return header.endswith(",".join(_VARIANT_COLUMNS))


def remove_variants(target: Path, storage: Storage = LOCAL) -> None:
    """Remove a CSV that :func:`variants_text` gave, if there is one; another file is left alone.

    Raises:
        CsvError: it cannot be removed.
    """
    if is_variants(target):
        try:
            storage.remove(target)
        except OSError as error:
            raise CsvError(f"{target} cannot be removed: {error.strerror}. Check folder and disk.") from error


def failures_text(rows: Iterable[FailureRow]) -> bytes:
    """The rows that failed or were rejected; just the header where there are none.

    In every column line breaks and other control characters become spaces, and a text that a spreadsheet would run as a
    formula gets a ``'`` before it (:func:`escape_formula`).  ``line`` says which row of the input it is.
    """
    header = tuple(entry.name for entry in fields(FailureRow))
    return _text(header, (map(_safe, astuple(row)) for row in rows))


def _safe(value: object) -> object:
    return escape_formula(value) if isinstance(value, str) else value


def escape_formula(text: str) -> str:
    """The text on one line, and as text for a spreadsheet even where it starts like a formula, or a part of it does."""
    safe = _FORMULA.sub("'", text)
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in safe)


def _text(header: Sequence[str], lines: Iterable[Iterable[object]]) -> bytes:
    return "".join(",".join(map(_cell, line)) + "\n" for line in (header, *lines)).encode("utf-8", "surrogateescape")


def _not_written(target: Path, error: OSError) -> CsvError:
    return CsvError(f"{target} cannot be written: {error.strerror}. Check folder and disk.")


def _cell(value: object) -> str:
    # By hand: with LF line ends, Python's csv writer (before 3.13) leaves a lone CR without quotes.
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False
