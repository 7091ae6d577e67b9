"""The proof: every file below the outputs and the exports is looked at once more for what is recorded of the photos."""

import mmap
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.core.hashing import file_sha256
from relight_assets.dataset.layout import RECORD_CACHE, THUMBNAILS
from relight_assets.errors import UserError
from relight_assets.exports.registry import need_packages
from relight_assets.exports.snapshot import BESIDE, FILES, MANIFEST, SAMPLES
from relight_assets.forgetting.eraser import Left
from relight_assets.forgetting.snapshots import Snapshot
from relight_assets.forgetting.tables import kept_parquet

_TEXTS = frozenset({".json", ".jsonl", ".csv", ".txt", ".yaml", ".yml", ".toml", ".html", ".js", ".tmp", ""})
_SHA256 = re.compile(rb"(?<![0-9A-Za-z])[0-9a-fA-F]{64}(?![0-9A-Za-z])")


@dataclass
class Proof:
    """What of photos is left below some folders."""

    photos: Collection[str]
    """Their sha256."""
    pictures: Mapping[str, int]
    """sha256 and size in bytes of the files that were made of them, as far as records said."""
    files: int = 0
    """Files that were looked at."""
    left: list[Left] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sizes = frozenset(self.pictures.values())

    def search(self, folders: Iterable[Path]) -> None:
        """Look at every file below these folders, those of others too; links are not followed."""
        for folder in folders:
            for above, _, names in os.walk(folder, onerror=self._not_listed):
                for name in sorted(names):
                    self._look(Path(above) / name)

    def search_pairs(self, snapshot: Snapshot, stems: Collection[str]) -> None:
        """Look into a snapshot for pairs that it had: their files, their rows, and their places in shards."""
        if not stems or not snapshot.folder.is_dir():
            return
        for path in snapshot.strangers(stems):
            self.left.append(Left(path, "its name is that of a pair that is gone"))
        any_stem = "|".join(map(re.escape, sorted(stems)))
        named = re.compile(rf"(?<![0-9A-Za-z.])(?:{any_stem})(?![0-9A-Za-z])")
        shards = _shards(snapshot)
        for file in [FILES, MANIFEST, SAMPLES, *snapshot.listed()]:
            path = snapshot.folder / file
            if path.suffix in _TEXTS and named.search(_without(shards, _text(path))):
                self.left.append(Left(path, "it names a pair that is gone"))
            elif file not in shards and named.search(path.name):
                self.left.append(Left(path, "it is of a pair that is gone"))
        self._search_shards(snapshot, stems)

    def _search_shards(self, snapshot: Snapshot, stems: Collection[str]) -> None:
        if snapshot.spec is None or snapshot.spec.shards is None:
            return
        try:
            need_packages(snapshot.spec)
        except UserError as error:
            self.left.append(Left(snapshot.folder, str(error)))
            return
        for file in _shards(snapshot):
            path = snapshot.folder / file
            try:
                held = any(pair.stem in stems for pair in snapshot.spec.shards.read(path))
            except (OSError, ValueError) as error:
                self.left.append(Left(path, f"it cannot be read: {error}"))
                continue
            if held:
                self.left.append(Left(path, "it holds a pair that is gone"))

    def _look(self, path: Path) -> None:
        if path.is_symlink() or not path.is_file():
            return
        self.files += 1
        try:
            # A thumbnail says in its comment of which photo it is.
            if path.suffix in _TEXTS or path.name == RECORD_CACHE or path.parent.name == THUMBNAILS:
                found = self._names_one(path)
            elif path.suffix == ".parquet":
                found = self._has_row(path)
            else:
                found = path.stat().st_size in self._sizes and file_sha256(path) in self.pictures
        except OSError as error:
            if path.exists():
                self.left.append(Left(path, f"it cannot be read: {error.strerror}"))
            return
        if found:
            self.left.append(Left(path, "a sha256 that is recorded of the photo"))

    def _names_one(self, path: Path) -> bool:
        return any(each in self.photos or each in self.pictures for each in _sha256s(path))

    def _has_row(self, path: Path) -> bool:
        """Whether a label table as Parquet has a row of one; shards have no such column."""
        if path.name != "samples.parquet":
            return False
        kept = kept_parquet(path, lambda row: row.get("source_sha256") in self.photos)
        return kept is None or bool(kept.dropped)

    def _not_listed(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            self.left.append(Left(Path(str(error.filename)), f"it cannot be listed: {error.strerror}"))


def _sha256s(path: Path) -> Iterator[str]:
    """Every sha256 that a file of text names."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for found in _SHA256.finditer(data):
                yield found[0].decode("ascii").lower()


def _shards(snapshot: Snapshot) -> list[str]:
    """The paths of a snapshot's shards.  They are numbered as pairs are: shard 1 is not pair 1."""
    if snapshot.spec is None or snapshot.spec.shards is None:
        return []
    return [file.path for file in snapshot.listed().values() if file.made_of != BESIDE]


def _without(paths: Collection[str], text: str) -> str:
    """A text without the paths in it."""
    return re.sub("|".join(map(re.escape, paths)), "", text) if paths else text


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
