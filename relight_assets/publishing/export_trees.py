"""The newest snapshots of exports, as they are published."""

import csv
import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from relight_assets.core.messages.wording import counted
from relight_assets.dataset.tombstones import NO_TOMBSTONES, Tombstones
from relight_assets.errors import ChangedOutputError, OutputFolderError, UserError
from relight_assets.exports.snapshot import FILES, MANIFEST, SAMPLES, Snapshots, is_whole, read_files
from relight_assets.publishing.trees import Tree, TreeFile, unreadable

CARDS = ("README.md", "croissant.json")
"""What describes an export: published also where the list of files does not name it."""
_OF_SPLITS = "data-"
"""How names begin under which finished splits are published."""


@dataclass(frozen=True)
class ExportedSplit:
    """The export of a split, of which there is a snapshot."""

    export: str
    split: str
    link: Path
    """To the newest snapshot."""

    @property
    def name(self) -> str:
        """Where it is published, below the destination."""
        return f"{self.export}/{self.split}"

    def tree(self, tombstones: Tombstones = NO_TOMBSTONES) -> Tree:
        """The files of the newest snapshot.  The link is followed once: another export does not change what is read.

        Args:
            tombstones: photos whose pairs may not be published.

        Raises:
            ChangedOutputError: the snapshot is not whole.
            OutputFolderError: it cannot be read.
            UserError: it cannot be published under this name, or has a pair of such a photo.
        """
        if self.export.startswith(_OF_SPLITS):
            raise UserError(f"the export `{self.export}` has a name of a published split: rename its folder")
        try:
            folder = self.link.resolve(strict=True)
        except OSError as error:
            raise unreadable(self.link, error) from None
        if not is_whole(folder):
            raise ChangedOutputError(f"{folder} lacks files of its list, or holds others: export again")
        _refuse_forgotten(folder, tombstones)
        files = [
            TreeFile(_safe(file.path, folder), str(folder / file.path), file.size, file.sha256)
            for file in read_files(folder)
        ]
        listed = {file.path for file in files}
        cards = [name for name in CARDS if name not in listed and (folder / name).is_file()]
        files += [TreeFile.of(name, folder / name) for name in (FILES, *cards)]
        unlisted = _count(folder) - len(files) - 1
        return Tree(self.name, files, TreeFile.of(MANIFEST, folder / MANIFEST), max(0, unlisted))


def _refuse_forgotten(folder: Path, tombstones: Tombstones) -> None:
    if not tombstones.reasons:
        return
    try:
        with (folder / SAMPLES).open(encoding="utf-8", newline="") as file:
            forgotten = sum(row.get("source_sha256") in tombstones for row in csv.DictReader(file))
    except OSError as error:
        raise unreadable(folder / SAMPLES, error) from None
    if forgotten:
        raise UserError(
            f"{folder} has {counted(forgotten, 'pair')} of photos that are forgotten: run "
            f"`relight forget`, which removes them, and publish again"
        )


def exported_splits(root: Path, exports: Sequence[str] = (), split: str | None = None) -> list[ExportedSplit]:
    """The exports in a folder, of each split of which there is a snapshot.

    Args:
        root: the folder of exports.
        exports: names of those that are asked for; none: all.
        split: the only one that is asked for; None: all.

    Raises:
        UserError: there is none, or not the one that is asked for.
        OutputFolderError: the folder cannot be read.
    """
    found = [each for each in exports_in(root) if split is None or each.split == split]
    where = f"{root}" if split is None else f"{root} of the split `{split}`"
    names = sorted({each.export for each in found})
    if not names and any(_links_in(root)):
        raise UserError(f"{root} is the folder of one export: give the folder above it, {root.parent}")
    if not names:
        raise UserError(f"there is no export in {where}: run `relight export` first, or publish finished images")
    for name in exports:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise UserError(f"there is no export `{name}` in {where}{hint or '.'} There are: {', '.join(names)}")
    return [each for each in found if each.export in (exports or names)]


def exports_in(root: Path) -> Iterator[ExportedSplit]:
    """Every export in a folder, of each split of which there is a snapshot.

    Raises:
        OutputFolderError: the folder cannot be read.
    """
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.exists() else []
        links = [(folder, link) for folder in folders for link in _links_in(folder)]
    except OSError as error:
        raise OutputFolderError(f"{root} cannot be read: {error.strerror or error}") from None
    yield from (ExportedSplit(folder.name, link.name, link) for folder, link in links)


def _links_in(folder: Path) -> Iterator[Path]:
    """The links of an export's folder to its newest snapshots, one for each split.

    Raises:
        OSError: it cannot be read.
    """
    for link in sorted(folder.iterdir()) if folder.is_dir() else ():
        if link.is_symlink() and not link.name.startswith("."):
            snapshots = {each.resolve() for each in Snapshots(folder, link.name).all()}
            if link.resolve() in snapshots:
                yield link


def _safe(path: str, folder: Path) -> str:
    """A path of a list, which leads out of the snapshot neither here nor in a bucket.

    Raises:
        ChangedOutputError: it does.
    """
    parts = PurePosixPath(path).parts
    if not parts or "/".join(parts) != path or ".." in parts or path.startswith("/") or not path.isprintable():
        raise ChangedOutputError(f"{folder / FILES} names {path!r}, which does not lie in the export: export again")
    if os.path.realpath(folder / path) != str(folder / path):
        raise ChangedOutputError(f"{folder / path} is a link, which no export writes: export again")
    return path


def _count(folder: Path) -> int:
    """How many files lie in a snapshot."""
    return sum(len(files) for _, _, files in os.walk(folder))
