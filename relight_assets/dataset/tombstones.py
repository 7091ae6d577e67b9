"""``forgotten.csv`` of an output folder: the sha256 of each photo that was forgotten and why, and nothing else of it.

A photo that stands in it is never processed again, whatever it is called and whichever CSV names it.  So a file that is
damaged stops whoever reads it: taken for empty, it would let such photos come back.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.errors import OutputFolderError
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp
from relight_assets.storage.local import LOCAL

FORGOTTEN = "forgotten.csv"
_HEADER = ["sha256", "reason"]
_SHA256 = re.compile("[0-9a-f]{64}")
MAX_REASON = 200
"""Characters of a reason: a sentence, on one line."""


@dataclass(frozen=True)
class Tombstones:
    """The photos that were forgotten."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    """By sha256."""

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self.reasons

    def seal(self, stamp: FileStamp) -> str:
        """What the failure of a forgotten photo keeps in place of its stamp: a later run need not read the photo.

        Whoever has not the sha256 learns nothing from it.
        """
        return _seal(stamp.sha256, stamp.size, stamp.token)

    def sealed(self, seal: str | None, size: int, token: str) -> bool:
        """Whether a seal is that of a forgotten photo with this size and token."""
        # Of a record of schema 1 the token is the mtime, with which the others begin.
        tokens = {token, token.partition(".")[0]}
        return seal is not None and any(_seal(sha256, size, each) == seal for sha256 in self.reasons for each in tokens)


def _seal(sha256: str, size: int, token: str) -> str:
    return sha256_hex(f"{sha256} {size} {token}".encode())


NO_TOMBSTONES = Tombstones()


def read_tombstones(output_root: Path, storage: Storage = LOCAL) -> Tombstones:
    """The photos that were forgotten; none where the folder has no such file.

    Raises:
        OutputFolderError: it cannot be read, or is damaged.
    """
    path = output_root / FORGOTTEN
    try:
        data = storage.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return NO_TOMBSTONES
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from error
    try:
        return Tombstones(dict(_parsed(data)))
    except (ValueError, csv.Error) as error:
        raise _unusable(path, str(error)) from error


def add_tombstones(output_root: Path, reasons: Mapping[str, str], storage: Storage = LOCAL) -> Tombstones:
    """Add photos by their sha256, with the reasons, and return all; a photo that is there keeps its reason.

    The file is on the disk before this returns.  Whoever calls it holds a lock.

    Raises:
        OutputFolderError: the file is damaged, or cannot be written.
    """
    before = read_tombstones(output_root, storage).reasons
    after = {**before, **{sha256: reason for sha256, reason in reasons.items() if sha256 not in before}}
    if after != before:
        try:
            storage.make_folder(output_root)
            storage.put(output_root / FORGOTTEN, _written(after.items()), durable=True)
        except OSError as error:
            raise OutputFolderError(
                f"{output_root / FORGOTTEN} cannot be written: {error.strerror}. Nothing was removed."
            ) from error
    return Tombstones(after)


def _parsed(data: bytes | None) -> Iterable[tuple[str, str]]:
    if data is None:
        raise ValueError("it is no regular file")
    text = data.decode("utf-8-sig")
    rows = csv_reader(text)
    if next(rows, None) != _HEADER:
        raise ValueError("its first line must be `sha256,reason`")
    if not text.endswith("\n"):
        raise ValueError("its last line is cut off")
    for row in filter(None, rows):
        if len(row) != len(_HEADER) or not _SHA256.fullmatch(row[0]):
            raise ValueError(f"line {rows.line_num} is no sha256 with a reason")
        yield row[0], row[1]


def _written(rows: Iterable[tuple[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _unusable(path: Path, reason: str) -> OutputFolderError:
    return OutputFolderError(
        f"{path} cannot be used: {reason}. It says which photos were forgotten, so nothing goes on without it: mend "
        f"it, or put its last copy back."
    )
