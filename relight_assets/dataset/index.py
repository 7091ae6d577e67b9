"""The lasting number of each image: ``index.csv``, append-only.

A number is given once, in order of first appearance, and is never given to another image: not when a
CSV is sorted, filtered or moved, not when ``index.csv`` is lost.  (For a first CSV without blank or
doubled paths the number is the row's position; a blank cell takes no number, and rows with one path
share one.)  Whoever extends the index holds the folder's lock.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from relight_assets.dataset.files import write_atomic
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_failure, read_record

_HEADER = ["index", "image_path"]


@dataclass(frozen=True, slots=True)
class _Parsed:
    numbers: dict[str, int]
    whole: bool


def load(layout: SplitLayout) -> dict[str, int]:
    """The number of each image by its ``paths.index_key``, in order of the numbers.  Writes nothing.

    Numbers that ``index.csv`` does not know (it is missing, damaged, or was cut off or put back from
    an older copy) are completed from the records and failure files, each of which holds its index and
    image_path.

    Raises:
        OSError: a file is there and cannot be read.
    """
    return _load(layout, layout.numbers()).numbers


def extend(layout: SplitLayout, keys: Iterable[str]) -> dict[str, int]:
    """Give every new key a number, keep the index, and return all of it.

    New keys get the highest number so far plus one, in order of first appearance; a number that a
    record, a failure or a picture in the folder holds counts as given, even when nobody knows to whom.
    Empty keys (blank cells) are passed over.  The file is written whole, with fsync, before this
    returns, and only where it changes.  The folder must exist.

    Raises:
        OSError: the index cannot be read or written.
    """
    held = layout.numbers()
    loaded = _load(layout, held)
    numbers = loaded.numbers
    new = [key for key in dict.fromkeys(keys) if key and key not in numbers]
    taken = max(max(numbers.values(), default=-1), max(held, default=-1))
    numbers.update((key, taken + 1 + position) for position, key in enumerate(new))
    if new or not loaded.whole:
        write_atomic(layout.index_csv, _text(numbers), durable=True)
    return numbers


def _load(layout: SplitLayout, held: set[int]) -> _Parsed:
    try:
        parsed = _parse(layout.index_csv.read_bytes())
    except FileNotFoundError:
        parsed = _Parsed({}, whole=False)
    numbers = parsed.numbers
    found: dict[str, int] = {}
    for number in sorted(held - set(numbers.values())):
        key = _key_in_folder(layout, number)
        if key and key not in numbers:
            found.setdefault(key, number)
    if not found:
        return parsed
    return _Parsed(dict(sorted({**numbers, **found}.items(), key=lambda item: item[1])), whole=False)


def _parse(data: bytes) -> _Parsed:
    # The good rows up to the first fault.  Every key is quoted and every row ends in a line feed, so a
    # row that was cut off anywhere is noticed and cannot give a shorter path a number.
    whole = data.endswith(b"\n")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text, whole = data[: error.start].decode("utf-8"), False
    numbers: dict[str, int] = {}
    highest = -1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != _HEADER:
            return _Parsed({}, whole=False)
        for digits, key in reader:
            number = int(digits)
            if number <= highest or not key or key in numbers:
                return _Parsed(numbers, whole=False)
            numbers[key] = highest = number
    except (csv.Error, ValueError):
        return _Parsed(numbers, whole=False)
    if not whole and numbers:
        numbers.popitem()
    return _Parsed(numbers, whole)


def _key_in_folder(layout: SplitLayout, number: int) -> str | None:
    found = read_record(layout.record(number)) or read_failure(layout.failure(number))
    # A file that was renamed by hand says another number than its name, and is not believed.
    return found.image_path if found is not None and found.index == number else None


def _text(numbers: dict[str, int]) -> bytes:
    buffer = io.StringIO(newline="")
    buffer.write(",".join(_HEADER) + "\n")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows((number, key) for key, number in sorted(numbers.items(), key=lambda item: item[1]))
    return buffer.getvalue().encode("utf-8")
