"""The CSVs that go out: where each row's picture is, and why a row has none."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from relight_assets.dataset.files import write_atomic
from relight_assets.dataset.split_csv import OUTPUT_COLUMN, VARIANT_COLUMN, SplitCsv
from relight_assets.errors import CsvError

_VARIANT_COLUMNS = (VARIANT_COLUMN, OUTPUT_COLUMN)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row that has no picture: its line in the input CSV (from 1), its cell, and why."""

    line: int
    image_path: str
    code: str
    stage: str
    message: str


def outgoing_paths(csv_path: Path, mapping_dir: Path | None) -> tuple[Path, Path, Path]:
    """The mapping, the failures and the variants CSV of an input CSV: in ``mapping_dir``, or beside the input."""
    folder = csv_path.parent if mapping_dir is None else mapping_dir
    stem = csv_path.name.removesuffix(".csv")
    endings = ("_with_relighting_outputs.csv", "_failures.csv", "_variants.csv")
    mapping, failures, variants = (folder / f"{stem}{ending}" for ending in endings)
    return mapping, failures, variants


def write_mapping(split: SplitCsv, outputs: Sequence[Path | None], target: Path) -> None:
    """Write the input's columns and rows, in order and with the same text, plus ``output_image_path``.

    Args:
        split: the input.
        outputs: for each row the finished picture, or None; written as absolute paths.
        target: the file, written atomically; UTF-8, lines end in LF.

    Raises:
        CsvError: ``target`` is the input CSV, or cannot be written.
        ValueError: not one output for each row.
    """
    rows = split.table.itertuples(index=False, name=None)
    lines = (
        (*row, "" if output is None else str(output.absolute())) for row, output in zip(rows, outputs, strict=True)
    )
    _write(split, (*split.table.columns, OUTPUT_COLUMN), lines, target)


def write_variants(split: SplitCsv, outputs: Sequence[Sequence[Path]], target: Path) -> None:
    """Write a row for each light of each finished row: the input's columns, ``output_variant`` and the picture.

    Args:
        split: the input.
        outputs: for each row the pictures of its variants, numbered from 1; none where it is not finished.
        target: as :func:`write_mapping`.

    Raises:
        CsvError: ``target`` is the input CSV, or cannot be written.
        ValueError: not one list for each row.
    """
    rows = split.table.itertuples(index=False, name=None)
    lines = (
        (*row, number, str(path.absolute()))
        for row, paths in zip(rows, outputs, strict=True)
        for number, path in enumerate(paths, start=1)
    )
    _write(split, (*split.table.columns, *_VARIANT_COLUMNS), lines, target)


def remove_variants(target: Path) -> None:
    """Remove a CSV that :func:`write_variants` wrote, if there is one; another file is left alone."""
    try:
        with target.open(encoding="utf-8", newline="") as file:
            ours = file.readline().rstrip("\n").endswith(",".join(_VARIANT_COLUMNS))
    except (OSError, UnicodeDecodeError):
        return
    if ours:
        target.unlink(missing_ok=True)


def write_failures(split: SplitCsv, rows: Iterable[FailureRow], target: Path) -> None:
    """Write the rows that failed or were rejected; just the header where there are none.

    ``image_path`` stays as the input has it.  In ``message`` line breaks and other control characters
    become spaces, and a text that a spreadsheet would run as a formula gets a ``'`` before it.

    Raises:
        CsvError: ``target`` is the input CSV, or cannot be written.
    """
    header = tuple(entry.name for entry in fields(FailureRow))
    lines = ((*astuple(row)[:-1], escape_formula(row.message)) for row in rows)
    _write(split, header, lines, target)


def escape_formula(text: str) -> str:
    """The text on one line, and as text for a spreadsheet even where it starts like a formula."""
    safe = f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in safe)


def _write(split: SplitCsv, header: Sequence[str], lines: Iterable[Sequence[object]], target: Path) -> None:
    if os.path.realpath(target) == os.path.realpath(split.path) or _same_file(target, split.path):
        raise CsvError(f"{target} is the input CSV, which is never written. Set another mapping_dir.")
    text = "".join(",".join(map(_cell, line)) + "\n" for line in (header, *lines))
    try:
        write_atomic(target, text.encode("utf-8"), durable=True)
    except OSError as error:
        raise CsvError(f"{target} cannot be written: {error.strerror}. Check folder and disk.") from error


def _cell(value: object) -> str:
    # By hand: with LF line ends, Python's csv writer (before 3.13) leaves a lone CR without quotes.
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False
