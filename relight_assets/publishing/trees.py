"""What is published: the files of one export or one split, their sha256, and the manifest that says they are whole."""

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from relight_assets.core.hashing import CHUNK, sha256_hex
from relight_assets.dataset.csv.text import csv_reader
from relight_assets.errors import ChangedOutputError, OutputFolderError

MANIFEST, FILES = "manifest.json", "files.csv"
"""The last file that is uploaded, which has the sha256 of the list; and the list, which has those of the others."""
PART = 8 * CHUNK
"""Bytes of a file that are in memory at a time; a larger file is uploaded in parts of so many."""


class TreeFile(Struct, frozen=True, gc=False):
    """A file: its path in the tree, where it lies here, size in bytes and sha256."""

    path: str
    source: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: str, source: Path) -> "TreeFile":
        """A file whose sha256 nobody has recorded, read now.

        Raises:
            OutputFolderError: it cannot be read.
        """
        try:
            data = source.read_bytes()
        except OSError as error:
            raise unreadable(source, error) from None
        return cls(path, str(source), len(data), sha256_hex(data))


@dataclass(frozen=True)
class Tree:
    """Everything that is published under one name."""

    name: str
    """Where below the destination: ``imagefolder/train``, ``data-train``."""
    files: Sequence[TreeFile]
    """All but the manifest, with the list of the files."""
    manifest: TreeFile
    unlisted: int = 0
    """Files that lie there and are not published, because no list names them: caches of trainers."""

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files) + self.manifest.size


def files_sha256(manifest: bytes) -> object:
    """The sha256 of the list of files that a manifest names; None where it is none of ours."""
    try:
        found = json.loads(manifest)
    except ValueError:
        return None
    return found.get("files_sha256") if isinstance(found, dict) else None


class Listed(NamedTuple):
    """A file of a published list: its path in the tree, size in bytes and sha256."""

    path: str
    size: int
    sha256: str


def listed_files(data: bytes) -> list[Listed] | None:
    """The files of a list that lies at a destination; None where it is damaged, or somebody else's."""
    try:
        rows = csv_reader(data.decode("utf-8"))
        header = next(rows, [])
        path, size, sha256 = (header.index(name) for name in Listed._fields)
        return [Listed(row[path], int(row[size]), row[sha256]) for row in rows if row]
    except (ValueError, IndexError, csv.Error):  # an encoding is a value, too
        return None


def unreadable(path: str | Path, error: OSError) -> OutputFolderError:
    """Why a file cannot be published."""
    return OutputFolderError(
        f"{path} cannot be read: {error.strerror or error}; mend that, or export again if it is gone, and publish again"
    )


def read_whole(file: TreeFile) -> bytes:
    """The bytes of a file, which have the size and sha256 that are recorded of it.

    Raises:
        ChangedOutputError: it has others.
        OutputFolderError: it cannot be read.
    """
    try:
        with Path(file.source).open("rb") as stream:
            data = stream.read(file.size + 1)
    except OSError as error:
        raise unreadable(file.source, error) from None
    if len(data) != file.size or sha256_hex(data) != file.sha256:
        raise _changed(file)
    return data


def read_parts(file: TreeFile) -> Iterator[bytes]:
    """The bytes of a file in parts; what raises before the last is given leaves no object behind.

    Raises:
        ChangedOutputError: they have another size or sha256 than is recorded.
        OutputFolderError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with Path(file.source).open("rb") as stream:
            while part := stream.read(PART):
                digest.update(part)
                size += len(part)
                if size >= file.size and (size, digest.hexdigest()) != (file.size, file.sha256):
                    raise _changed(file)
                yield part
    except OSError as error:
        raise unreadable(file.source, error) from None
    if size != file.size:
        raise _changed(file)


def _changed(file: TreeFile) -> ChangedOutputError:
    return ChangedOutputError(
        f"{file.source} has other bytes than are recorded of it: a run wrote it meanwhile, or somebody edited "
        f"it. Nothing unfinished counts as published; run or export again, and publish again"
    )
