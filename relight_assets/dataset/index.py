"""The lasting number of each image: ``index.csv``, to which rows are added and from which none is removed.

A number is given once, in order of first appearance, and is never given to another photo: not when a
CSV is sorted, filtered or moved, not when ``index.csv`` is lost or its rows are mixed up.  The row of
a photo that is found under another path gets that path, and keeps its number.  (For a first
CSV without blank or doubled paths the number is the row's position; a blank cell takes no number, and rows
with one path share one.)  Whoever extends the index holds the folder's lock.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from relight_assets.dataset.csv.text import csv_reader
from relight_assets.dataset.layout import MAX_NUMBER, SplitLayout
from relight_assets.dataset.records import known_failure, known_stamps
from relight_assets.errors import OutputFolderError

_HEADER = ["index", "image_path"]
_ROWS_PER_BLOCK = 10_000
"""Rows that are in memory as text at a time while the index is written."""
_DIGITS = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class _Parsed:
    numbers: dict[str, int]
    whole: bool


def load(layout: SplitLayout, held: set[int] | None = None) -> dict[str, int]:
    """The number of each image by its ``paths.index_key``, in order of the numbers.  Writes nothing.

    Numbers that ``index.csv`` does not know (it is missing, damaged, or was cut off or put back from
    an older copy) are completed from the records and failure files, each of which holds its index and
    image_path.

    Args:
        layout: the folder.
        held: the numbers that its files hold, if the caller has listed it; None: it is listed.

    Raises:
        OSError: a file is there and cannot be read.
    """
    return _load(layout, layout.numbers() if held is None else held).numbers


def rebuild(layout: SplitLayout) -> dict[str, int]:
    """The numbers as :func:`load`, where ``index.csv`` and a record disagree as the record has it.  Writes nothing.

    Of several records that claim one image, that is believed whose number ``index.csv`` has.

    Raises:
        OSError: a file is there and cannot be read.
    """
    held = layout.numbers()
    listed = _load(layout, held).numbers
    recorded: dict[str, int] = {}
    for number in sorted(held):
        key = _key_in_folder(layout, number)
        if key and (key not in recorded or listed.get(key) == number):
            recorded[key] = number
    taken = set(recorded.values())
    kept = {key: number for key, number in listed.items() if key not in recorded and number not in taken}
    return _by_number({**kept, **recorded})


def extend(layout: SplitLayout, keys: Iterable[str], numbers: Mapping[str, int] | None = None) -> dict[str, int]:
    """Give every new key a number, keep the index, and return all of it.

    New keys get the highest number so far plus one, in order of first appearance; a number that a
    record, a failure or an image in the folder holds counts as given, even when nobody knows to whom.
    Empty keys (blank cells) are passed over.  The file is written whole, with fsync, before this
    returns, and only where it changes.  (Appending would save little, because all of it is read, and is less safe:
    whoever reads without the lock could find half a row.)  The folder must exist.

    Args:
        layout: the folder.
        keys: the images that are wanted.
        numbers: those given so far, if the caller knows better than ``index.csv``.

    Raises:
        OSError: the index cannot be read or written.
        OutputFolderError: a file in the folder holds the largest number there can be.
    """
    wanted = dict.fromkeys(key for key in keys if key)
    if numbers is not None and wanted.keys() <= numbers.keys() and _is_written(layout, numbers):
        return dict(numbers)
    held = layout.numbers()
    loaded = _load(layout, held)
    known = loaded.numbers if numbers is None else _by_number(numbers)
    new = [key for key in wanted if key not in known]
    taken = max(max(known.values(), default=-1), max(loaded.numbers.values(), default=-1), max(held, default=-1))
    if taken + len(new) > MAX_NUMBER:
        raise OutputFolderError(
            f"{layout.folder} holds a file or a row of index.csv with the number {taken}, after which there is none "
            f"left; remove it if it is not yours"
        )
    extended = known | {key: taken + 1 + position for position, key in enumerate(new)}
    if extended != loaded.numbers or not loaded.whole:
        layout.storage.put(layout.index_csv, _blocks(extended), durable=True)
    return extended


def _load(layout: SplitLayout, held: set[int]) -> _Parsed:
    try:
        parsed = _parse(layout.storage.read(layout.index_csv) or b"", max(held, default=-1))
    except FileNotFoundError:
        parsed = _Parsed({}, whole=False)
    numbers = parsed.numbers
    found: dict[str, int] = {}
    for number in sorted(held - set(numbers.values())):
        key = _key_in_folder(layout, number)
        if key and numbers.get(key) not in held:  # else there are two, and the one that is listed stays
            found.setdefault(key, number)
    if not found:
        return parsed
    return _Parsed(_by_number({**numbers, **found}), whole=False)


def _is_written(layout: SplitLayout, numbers: Mapping[str, int]) -> bool:
    try:
        return layout.storage.holds(layout.index_csv, _blocks(numbers))
    except FileNotFoundError:
        return False


def _by_number(numbers: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def _parse(data: bytes, highest_held: int) -> _Parsed:
    # The good rows up to where the text is damaged.  Every key is quoted and every row ends in a line feed, so a
    # row that was cut off anywhere is noticed and cannot give a shorter path a number.
    whole = data.endswith(b"\n")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text, whole = data[: error.start].decode("utf-8"), False
    numbers: dict[str, int] = {}
    highest = -1
    # No run gives a larger number than this; one damaged row must not raise all later numbers.
    limit = highest_held + data.count(b"\n")
    reader = csv_reader(text)
    fine = True
    try:
        if next(reader, None) != _HEADER:
            return _Parsed({}, whole=False)
        for digits, key in reader:
            number = int(digits) if _DIGITS.fullmatch(digits) else -1
            if highest < number <= limit and key and key not in numbers:
                numbers[key] = highest = number
            else:
                fine = False
    except (csv.Error, ValueError):
        return _Parsed(numbers, whole=False)
    if not whole and numbers:
        numbers.popitem()
    return _Parsed(numbers, whole and fine)


def _key_in_folder(layout: SplitLayout, number: int) -> str | None:
    # Of one that cannot be read nobody knows whose it is; its number counts as given all the same.
    found = known_stamps(layout, number) or known_failure(layout, number)
    # A file that was renamed by hand says another number than its name, and is not believed.
    return found.image_path if found is not None and found.index == number else None


def _blocks(numbers: Mapping[str, int]) -> Iterator[bytes]:
    """``index.csv`` with these numbers, so many rows at a time."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    buffer.write(",".join(_HEADER) + "\n")
    rows = ((number, key) for key, number in _by_number(numbers).items())
    while buffer.tell():
        yield buffer.getvalue().encode("utf-8")
        buffer.seek(0)
        buffer.truncate()
        writer.writerows(islice(rows, _ROWS_PER_BLOCK))
