"""The CSVs that go out: where each row's output is, and why a row has none."""

import codecs
import csv
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import chain, islice
from pathlib import Path

from relight_assets.dataset.csv.read import IMAGE_COLUMN, OUTPUT_COLUMN, VARIANT_COLUMN, SplitCsv
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.errors import CsvError
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
_ROWS_PER_BLOCK = 10_000
"""Rows that are in memory at a time while a CSV is written: some 2 MB."""
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row that has no output: its line in the input CSV (from 1), its cell, and why."""

    line: int
    image_path: str
    code: str
    stage: str
    message: str


_ENDINGS = ("_with_relighting_outputs.csv", "_failures.csv", "_variants.csv")


def failures_beside(mapping: Path) -> Path | None:
    """The failures CSV beside a mapping CSV; None where that is none."""
    name = mapping.name.removesuffix(_ENDINGS[0])
    return mapping.with_name(f"{name}{_ENDINGS[1]}") if name != mapping.name else None


def is_mapping_name(path: Path) -> bool:
    """Whether a file has the name of a mapping CSV or a variants CSV."""
    return path.name.endswith((_ENDINGS[0], _ENDINGS[2]))


def output_csv_paths(csv_path: Path, mapping_dir: Path | None) -> tuple[Path, Path, Path]:
    """The mapping, the failures and the variants CSV of an input CSV: in ``mapping_dir``, or beside the input."""
    folder = csv_path.parent if mapping_dir is None else mapping_dir
    stem = csv_path.name.removesuffix(".csv")
    mapping, failures, variants = (folder / f"{stem}{ending}" for ending in _ENDINGS)
    return mapping, failures, variants


def mapping_blocks(split: SplitCsv, outputs: Iterable[Path | None], *, beside: bool = False) -> Iterator[bytes]:
    """The input's columns and rows, in order and with the same text, plus ``output_image_path``; UTF-8, LF, in blocks.

    Args:
        split: the input.
        outputs: for each row its current ``output.png``, or None; written as absolute paths.
        beside: write their names alone, for a mapping that lies beside them.

    Raises:
        ValueError: not one output for each row.
    """
    rows = split.rows()
    cells = ("" if path is None else path.name if beside else str(path.absolute()) for path in outputs)
    lines = ((*row, cell) for row, cell in zip(rows, cells, strict=True))
    return _blocks((*split.columns, OUTPUT_COLUMN), lines)


def variants_blocks(split: SplitCsv, outputs: Iterable[Sequence[Path]]) -> Iterator[bytes]:
    """A row for each light of each finished row: the input's columns, ``output_variant`` and the output; in blocks.

    Args:
        split: the input.
        outputs: for each row the outputs of its variants, numbered from 1; none where it is not finished.

    Raises:
        ValueError: not one list for each row.
    """
    rows = split.rows()
    lines = (
        (*row, number, str(path.absolute()))
        for row, paths in zip(rows, outputs, strict=True)
        for number, path in enumerate(paths, start=1)
    )
    return _blocks((*split.columns, *_VARIANT_COLUMNS), lines)


def _write(split: SplitCsv, blocks: Iterable[bytes], target: Path, storage: Storage) -> None:
    """Write an output CSV of a split atomically.

    Raises:
        CsvError: ``target`` is the input CSV, or cannot be written.
    """
    if os.path.realpath(target) == os.path.realpath(split.path) or _same_file(target, split.path):
        raise CsvError(f"{target} is the input CSV, which is never written. Set another mapping_dir.")
    try:
        storage.put(target, blocks, durable=True)
    except OSError as error:
        raise _not_written(target, error) from error


def write_mapping(split: SplitCsv, outputs: Iterable[Path | None], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`mapping_blocks` atomically.

    Raises:
        ValueError: as that.
        CsvError: ``target`` is the input CSV, or cannot be written.
    """
    _write(split, mapping_blocks(split, outputs), target, storage)


def write_variants(split: SplitCsv, outputs: Iterable[Sequence[Path]], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`variants_blocks` atomically; raises as :func:`write_mapping`."""
    _write(split, variants_blocks(split, outputs), target, storage)


def write_failures(split: SplitCsv, rows: Iterable[FailureRow], target: Path, storage: Storage = LOCAL) -> None:
    """Write :func:`failures_blocks` atomically; raises as :func:`write_mapping`."""
    _write(split, failures_blocks(rows), target, storage)


def withdraw_outputs(target: Path, stays: Callable[[str, str], bool], storage: Storage = LOCAL) -> None:
    """Take out of a mapping or variants CSV the outputs that are not, or soon not, those of its rows.

    A mapping's row gets an empty cell, a variant's row goes; of a damaged CSV the header stays.  Another file is left
    alone, and nothing is written where there is nothing to take out.

    Args:
        target: a CSV that :func:`write_mapping` or :func:`write_variants` wrote; an editor may have saved it since.
        stays: given the ``image_path`` of a row and its output, whether that stays.
        storage: where it lies.

    Raises:
        CsvError: it cannot be read or written.
    """
    try:
        blocks = without_outputs(target, stays, storage)
        if blocks is not None:
            storage.put(target, blocks, durable=True)
    except OSError as error:
        raise _not_written(target, error) from error


def without_outputs(
    target: Path, stays: Callable[[str, str], bool], storage: Storage = LOCAL
) -> Iterable[bytes] | None:
    """What :func:`withdraw_outputs` writes, in blocks; None where there is nothing to take out.

    Raises:
        OSError: it cannot be read.
    """
    try:
        data = storage.read(target) or b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""  # of whoever saved it anew
    # Cells in another encoding, of whoever saved it anew, stay what they are.
    blocks = _withdrawn(data.removeprefix(mark).decode("utf-8", "surrogateescape"), stays)
    return chain([mark], blocks) if blocks is not None else None


def _withdrawn(text: str, stays: Callable[[str, str], bool]) -> Iterator[bytes] | None:
    """A mapping without the outputs that do not stay, in blocks; None where there is nothing to take out."""
    reader = csv_reader(text)
    try:
        header: list[str] = next(reader, [])
    except csv.Error:
        return None
    if IMAGE_COLUMN not in header or OUTPUT_COLUMN not in header:
        return None
    image, output = header.index(IMAGE_COLUMN), header.index(OUTPUT_COLUMN)
    gone: list[bool] = []
    try:
        for row in filter(None, reader):
            if len(row) != len(header):
                return _blocks(header, [])
            gone.append(bool(row[output]) and not stays(row[image], row[output]))
    except csv.Error:
        return _blocks(header, [])
    if not any(gone):
        return None
    return _blocks(header, _left(text, gone, None if VARIANT_COLUMN in header else output))


def _left(text: str, gone: Sequence[bool], output: int | None) -> Iterator[list[str]]:
    """The rows of a mapping, of which some lose the cell ``output``; None: they are left out."""
    rows = filter(None, csv_reader(text))
    next(rows, None)
    for row, bad in zip(rows, gone, strict=True):
        if bad and output is None:
            continue
        if bad and output is not None:
            row[output] = ""
        yield row


def replace_reasons(
    target: Path, is_meant: Callable[[str], bool], reason: Mapping[str, str], storage: Storage = LOCAL
) -> tuple[int, bytes]:
    """A failures CSV in which some rows have another reason; nothing is written.

    Args:
        target: a CSV that :func:`write_failures` wrote.
        is_meant: given the ``image_path`` of a row, escaped as :func:`escape_formula` does.
        reason: what these rows are to have, by column.
        storage: where it lies.

    Returns:
        How many rows change, and all of the file; 0 where there is no such file, or it is another.

    Raises:
        OSError: it cannot be read.
    """
    try:
        text = (storage.read(target) or b"").decode("utf-8", "surrogateescape")
        header, *rows = filter(None, csv_reader(text))
    except (FileNotFoundError, NotADirectoryError, csv.Error, ValueError):
        return 0, b""
    if header != [entry.name for entry in fields(FailureRow)] or any(len(row) != len(header) for row in rows):
        return 0, b""
    named = [dict(zip(header, row, strict=True)) for row in rows]
    changed = [{**row, **reason} if is_meant(row[IMAGE_COLUMN]) else row for row in named]
    count = sum(before != after for before, after in zip(named, changed, strict=True))
    return count, b"".join(_blocks(header, (row.values() for row in changed)))


def is_variants(target: Path, storage: Storage = LOCAL) -> bool:
    """Whether a file is a CSV that :func:`variants_blocks` gave."""
    try:
        header = (storage.read(target) or b"").partition(b"\n")[0].decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return header.endswith(",".join(_VARIANT_COLUMNS))


def remove_variants(target: Path, storage: Storage = LOCAL) -> None:
    """Remove a CSV that :func:`variants_blocks` gave, if there is one; another file is left alone.

    Raises:
        CsvError: it cannot be removed.
    """
    if is_variants(target, storage):
        try:
            storage.remove(target)
        except OSError as error:
            raise CsvError(f"{target} cannot be removed: {error.strerror}. Check folder and disk.") from error


def failures_blocks(rows: Iterable[FailureRow]) -> Iterator[bytes]:
    """The rows that failed or were rejected; just the header where there are none.

    In every column line breaks and other control characters become spaces, and a text that a spreadsheet would run as a
    formula gets a ``'`` before it (:func:`escape_formula`).  ``line`` says which row of the input it is.
    """
    header = tuple(entry.name for entry in fields(FailureRow))
    return _blocks(header, (map(_safe, astuple(row)) for row in rows))


def _safe(value: object) -> object:
    return escape_formula(value) if isinstance(value, str) else value


def escape_formula(text: str) -> str:
    """The text on one line, and as text for a spreadsheet even where it starts like a formula, or a part of it does."""
    safe = _FORMULA.sub("'", text)
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in safe)


def _blocks(header: Sequence[str], lines: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """A CSV, so many rows at a time."""
    rows = (",".join(map(_cell, line)) + "\n" for line in chain([header], lines))
    while block := "".join(islice(rows, _ROWS_PER_BLOCK)):
        yield block.encode("utf-8", "surrogateescape")


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
