"""The snapshots of exports, and which of their pairs are of photos that are to be forgotten."""

import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from relight_assets.dataset.tombstones import Tombstones
from relight_assets.exports.base import ExportSpec
from relight_assets.exports.registry import layouts
from relight_assets.exports.snapshot import FILES, MANIFEST, SAMPLES, WrittenFile, read_files, read_manifest
from relight_assets.forgetting.eraser import Eraser
from relight_assets.forgetting.tables import Kept, kept_csv

_PHOTO = "source_sha256"
"""The column of ``samples.csv`` that says which photo a pair shows."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of an export."""

    folder: Path
    split: str
    spec: ExportSpec | None
    """None: its layout is none of this version."""
    pairs: int
    """That its manifest promises; fewer than its table has while photos are removed."""

    def samples(self, tombstones: Tombstones) -> Kept:
        """The table of its pairs, and which of them are of forgotten photos.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        found = kept_csv(self.folder / SAMPLES, lambda row: row.get(_PHOTO) in tombstones)
        rows = [*found.rows, *found.dropped]
        if len(rows) < self.pairs:
            raise ValueError(f"it has {len(rows)} rows for {self.pairs} pairs")
        if any(not {_PHOTO, "stem", "number"} <= row.keys() for row in rows[:1]):
            raise ValueError(f"it has no column {_PHOTO}, stem or number")
        # Files are removed by their stems: whoever forges a table removes nothing elsewhere.
        if not all(row["stem"].isascii() and row["stem"].isdecimal() for row in found.dropped):
            raise ValueError("a stem in it is none")
        return found

    def listed(self) -> dict[str, WrittenFile]:
        """The files that its list names, by path; none that would lie elsewhere."""
        return {
            file.path: file
            for file in read_files(self.folder)
            if not file.path.startswith("/") and ".." not in file.path.split("/")
        }

    def strangers(self, stems: Collection[str] | None = None) -> list[Path]:
        """Files of others in it, such as latents that a trainer has kept; with stems, those whose names begin so."""
        listed = {*self.listed(), MANIFEST, FILES, SAMPLES}
        any_stem = "|".join(map(re.escape, sorted(stems))) if stems is not None else ""
        named = re.compile(rf"(?:{any_stem})(?![0-9])")
        return [
            path
            for path in sorted(self.folder.rglob("*"))
            if path.relative_to(self.folder).as_posix() not in listed
            and (stems is None or named.match(path.name))
            and not (path.is_dir() and not path.is_symlink())
        ]


def snapshots_in(folder: Path) -> Iterator[Snapshot]:
    """The snapshots of an export's folder, of all splits.

    Raises:
        OSError: the folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        finished = path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
        manifest = read_manifest(path) if finished else None
        if manifest is not None:
            pairs = manifest.get("pairs")
            spec = layouts().get(str(manifest.get("layout")))
            yield Snapshot(path, str(manifest.get("split")), spec, pairs if isinstance(pairs, int) else 0)


def exports_below(root: Path) -> list[Path]:
    """The folders of exports in a folder; the folder itself where it is one.

    Raises:
        OSError: the folder cannot be read.
    """
    return [root] if any(True for _ in snapshots_in(root)) else sorted(root.iterdir())


def clean_unfinished(folder: Path, split: str, eraser: Eraser) -> None:
    """Remove what killed exports of a split have left; nobody exports it meanwhile.

    Raises:
        OSError: the folder cannot be read.
    """
    ours = re.compile(rf"\.{re.escape(split)}-[0-9a-f]{{12}}\..*\.partial")
    for path in sorted(folder.iterdir()):
        if ours.fullmatch(path.name):
            eraser.do(path, "unfinished exports", partial(shutil.rmtree, path))
