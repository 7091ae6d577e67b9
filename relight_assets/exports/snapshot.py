"""A snapshot on the disk: written under a temporary name, then renamed; the newest has a link.

``<out>/<name>/<split>-<digest>/`` is the snapshot, ``<out>/<name>/<split>`` a link to the newest.
"""

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from relight_assets.core.atomic_io import write_atomic
from relight_assets.core.hashing import file_sha256
from relight_assets.errors import OutputFolderError, UserError

MANIFEST, FILES, SAMPLES = "manifest.json", "files.csv", "samples.csv"
BESIDE = "index"
"""What files beside the pairs are made of, in the list."""
_DIGEST = 12
"""Hexadecimal digits of a digest in a folder's name."""
_HOST = re.sub("[^A-Za-z0-9-]", "-", os.uname().nodename)
"""Whose a folder is that is being written: several machines may share a disk."""
_COLUMNS = ("path", "sha256", "size", "made_of")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a snapshot: its path in it, sha256, size in bytes, and what it was made of."""

    path: str
    sha256: str
    size: int
    made_of: str

    @classmethod
    def beside(cls, folder: Path, path: str) -> "WrittenFile":
        """A file beside the pairs, as it lies in a snapshot's folder."""
        return cls(path, file_sha256(folder / path), (folder / path).stat().st_size, BESIDE)


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one split in an export's folder."""

    root: Path
    """``<out>/<name>``"""
    split: str

    @property
    def newest(self) -> Path:
        """The link to the newest."""
        return self.root / self.split

    def folder(self, digest: str) -> Path:
        """The snapshot of a content."""
        return self.root / f"{self.split}-{digest[:_DIGEST]}"

    def all(self) -> list[Path]:
        """Every finished one, in the order of their names."""
        ours = re.compile(rf"{re.escape(self.split)}-[0-9a-f]{{{_DIGEST}}}")
        try:
            names = sorted(path for path in self.root.iterdir() if ours.fullmatch(path.name))
        except OSError:
            return []
        return [path for path in names if (path / MANIFEST).is_file()]

    def old(self) -> list[Path]:
        """Every one but the newest.

        Raises:
            UserError: it is not known which that is.
        """
        try:
            newest = self.newest.resolve(strict=True)
        except OSError as error:
            raise UserError(
                f"{self.newest} leads to no snapshot, so nobody knows which one is in use: export again first"
            ) from error
        return [path for path in self.all() if path.resolve() != newest and not path.is_symlink()]

    def refuse_others(self) -> None:
        """Refuse a place where something of somebody else lies.

        Raises:
            UserError: the link's place holds something that is no link.
        """
        if os.path.lexists(self.newest) and not self.newest.is_symlink():
            raise UserError(
                f"{self.newest} is no link of an export: it is somebody else's. Choose another --out or --name"
            )

    @contextmanager
    def new(self, digest: str) -> Iterator[Path]:
        """A folder to write a snapshot into; it is given its name when the block ends, and goes if the block raises.

        Raises:
            OutputFolderError: the folder cannot be made or renamed; the snapshot before stays the newest.
        """
        self.refuse_others()
        temp = self.root / f".{self.split}-{digest[:_DIGEST]}.{_HOST}.{os.getpid()}.partial"
        target = self.folder(digest)
        try:
            self._clean()
            temp.mkdir(parents=True)
            yield temp
            if target.exists():
                if not (target / MANIFEST).is_file():
                    raise UserError(
                        f"{target} holds something that is no export. Move it away, or choose another --out"
                    )
                shutil.rmtree(target)
            temp.rename(target)
            self._link(target)
        except OSError as error:
            raise OutputFolderError(
                f"{self.root}: the export stopped: {error.strerror or error}. What was exported before is unchanged; "
                f"mend it and export again"
            ) from error
        finally:
            shutil.rmtree(temp, ignore_errors=True)

    def point_to(self, folder: Path) -> None:
        """Have the link lead to a snapshot, at once.

        Raises:
            UserError: something of somebody else lies in its place.
            OutputFolderError: it cannot be made.
        """
        self.refuse_others()
        try:
            self._link(folder)
        except OSError as error:
            raise OutputFolderError(f"{self.newest} cannot be made: {error.strerror or error}") from error

    def _link(self, folder: Path) -> None:
        temp = self.root / f".{self.split}.{os.getpid()}.link"
        temp.unlink(missing_ok=True)
        temp.symlink_to(folder.name)
        temp.replace(self.newest)

    def _clean(self) -> None:
        """Remove what killed exports of this machine left."""
        for path in self.root.glob(f".{self.split}-*.{_HOST}.*.partial"):
            pid = path.name.split(".")[-2]
            if not Path(f"/proc/{pid}").exists():
                shutil.rmtree(path, ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Whether a snapshot has the list that its manifest names, and every file of it its size; no picture is read."""
    manifest = read_manifest(folder)
    try:
        if manifest is None or file_sha256(folder / FILES) != manifest.get("files_sha256"):
            return False
        return all((folder / file.path).stat().st_size == file.size for file in read_files(folder))
    except OSError:
        return False


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, on the disk before this returns: a folder that has one is whole."""
    write_atomic(folder / MANIFEST, manifest_text(manifest), durable=True)


def manifest_text(manifest: Mapping[str, Any]) -> bytes:
    """A manifest as a file holds it."""
    return f"{json.dumps(manifest, indent=1)}\n".encode()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a snapshot; None where there is none."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_files(folder: Path, files: Iterable[WrittenFile]) -> None:
    """Write the list of the files."""
    with (folder / FILES).open("w", newline="", encoding="utf-8") as stream:
        _write_rows(stream, files)


def files_text(files: Iterable[WrittenFile]) -> bytes:
    """The list of the files as a file holds it."""
    stream = io.StringIO(newline="")
    _write_rows(stream, files)
    return stream.getvalue().encode()


def _write_rows(stream: IO[str], files: Iterable[WrittenFile]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows((file.path, file.sha256, file.size, file.made_of) for file in files)


def read_files(folder: Path) -> Iterator[WrittenFile]:
    """The list of the files of a snapshot; nothing where there is none."""
    try:
        stream = (folder / FILES).open(newline="", encoding="utf-8")
    except OSError:
        return
    with stream:
        for row in csv.DictReader(stream):
            with suppress(KeyError, ValueError, TypeError):
                yield WrittenFile(row["path"], row["sha256"], int(row["size"]), row["made_of"])
