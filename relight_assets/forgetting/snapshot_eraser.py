"""Removing photos from a snapshot, which is changed by nothing else.

The table of its pairs, ``samples.csv``, is rewritten last: by it a snapshot that was left half-way is found again.
"""

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from relight_assets.core.atomic_io import clean_temp_files
from relight_assets.core.hashing import canonical_digest, file_sha256, sha256_hex
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.errors import UserError
from relight_assets.exports.base import ExportSpec, PairBytes, Shards
from relight_assets.exports.cards.croissant import CROISSANT
from relight_assets.exports.cards.readme import README
from relight_assets.exports.registry import need_packages
from relight_assets.exports.rows.licences import NONE_GIVEN
from relight_assets.exports.snapshot import (
    BESIDE,
    FILES,
    MANIFEST,
    SAMPLES,
    WrittenFile,
    files_text,
    manifest_text,
    read_manifest,
)
from relight_assets.forgetting.eraser import Eraser, Left
from relight_assets.forgetting.snapshots import Snapshot
from relight_assets.forgetting.tables import Kept, Row, kept_csv, kept_lines

TABLES = (".csv", ".jsonl")
"""Files beside the pairs that have a row for each; the others are configurations, which name folders alone."""


@dataclass(frozen=True)
class Cleared:
    """What a snapshot has, or had, by its table."""

    stems: frozenset[str] = frozenset()
    """Of the photos' pairs."""
    photos: frozenset[str] = frozenset()
    """The sha256 of these photos."""
    pictures: frozenset[str] = frozenset()
    """The sha256 of the split's pictures that these pairs showed."""
    living: frozenset[str] = frozenset()
    """Those that the other pairs show."""


@dataclass(frozen=True)
class SnapshotEraser:
    """Removes photos from one snapshot."""

    snapshot: Snapshot
    tombstones: Tombstones
    eraser: Eraser

    def clear(self) -> Cleared:
        """Remove the pairs of the photos; a snapshot of which nothing is left goes as a whole."""
        folder = self.snapshot.folder
        try:
            samples = self.snapshot.samples(self.tombstones)
        except (OSError, ValueError) as error:
            reason = f"nobody can tell whose pairs it has ({error}); remove the snapshot {folder}"
            self.eraser.left.append(Left(folder / SAMPLES, reason))
            return Cleared()
        stems = {str(row["stem"]) for row in samples.dropped}
        if stems:
            with self.eraser.within(folder):
                if samples.rows:
                    self._clear(stems, samples)
                else:
                    self._remove_whole(len(stems))
        photos = frozenset(str(row["source_sha256"]) for row in samples.dropped)
        return Cleared(frozenset(stems), photos, _pictures(samples.dropped), _pictures(samples.rows))

    def _remove_whole(self, pairs: int) -> None:
        folder = self.snapshot.folder
        newest = folder.parent / self.snapshot.split

        def work() -> None:
            if newest.is_symlink() and os.readlink(newest) == folder.name:  # noqa: PTH115
                newest.unlink()
            # Under the name of an unfinished export, so that whoever comes after a kill removes the rest.
            gone = folder.with_name(f".{folder.name}.forgotten.{os.getpid()}.partial")
            folder.rename(gone)
            shutil.rmtree(gone)

        self.eraser.do(folder, "pairs", work, pairs)

    def _clear(self, stems: set[str], samples: Kept) -> None:
        folder, spec = self.snapshot.folder, self.snapshot.spec
        if spec is None:
            self.eraser.left.append(Left(folder, "its layout is none of this version; remove the snapshot"))
            return
        listed = self.snapshot.listed()
        if not self.eraser.dry_run:
            for place in {folder, *((folder / path).parent for path in listed)}:
                clean_temp_files(place)
        before = len(self.eraser.left)
        removed = {pattern.format(stem=stem) for pattern in spec.files.values() for stem in stems}
        self._clear_indexes(listed, stems, removed)
        if spec.shards is None:
            for path in sorted(removed & listed.keys()):
                if (folder / path).exists():
                    self.eraser.remove(folder / path, "files of pairs")
        else:
            self._clear_shards(spec, spec.shards, listed, stems)
        for stranger in self.snapshot.strangers(stems):
            self.eraser.remove(stranger, "caches of trainers")
        # What they count is no longer there; the next export has cards of its own.
        cards = {README, CROISSANT} & listed.keys()
        for card in sorted(cards):
            self.eraser.remove(folder / card, "cards")
        if len(self.eraser.left) > before:
            return  # the table still says whose the rest is
        self._write_lists(listed, removed | cards, samples)
        self.eraser.put(folder / SAMPLES, samples.data, "pairs", len(samples.dropped))

    def _clear_indexes(self, listed: Mapping[str, WrittenFile], stems: set[str], removed: set[str]) -> None:
        """Take the pairs out of the tables beside them; configurations of trainers name none."""

        def drops(row: Row) -> bool:
            return row.get("stem") in stems or not removed.isdisjoint(
                value for value in row.values() if isinstance(value, str)
            )

        for path, file in listed.items():
            if file.made_of != BESIDE or path == SAMPLES or not path.endswith(TABLES):
                continue
            table = self.snapshot.folder / path
            try:
                kept = (kept_csv if path.endswith(".csv") else kept_lines)(table, drops)
            except ValueError as error:
                self.eraser.left.append(Left(table, str(error)))
                continue
            if kept.dropped:
                self.eraser.put(table, kept.data, "rows of indexes", len(kept.dropped))

    def _clear_shards(
        self, spec: ExportSpec, shards: Shards, listed: Mapping[str, WrittenFile], stems: set[str]
    ) -> None:
        try:
            need_packages(spec)
        except UserError as error:
            self.eraser.left.append(Left(self.snapshot.folder, str(error)))
            return
        for path, file in listed.items():
            shard = self.snapshot.folder / path
            if file.made_of == BESIDE or not shard.exists():
                continue
            try:
                found = [pair.stem in stems for pair in shards.read(shard)]
            except ValueError as error:
                self.eraser.left.append(Left(shard, str(error)))
                continue
            if all(found):
                self.eraser.remove(shard, "shards")
            elif any(found):
                self.eraser.do(shard, "shards rewritten", partial(_rewrite, shard, shards, stems))

    def _write_lists(self, listed: Mapping[str, WrittenFile], removed: set[str], samples: Kept) -> None:
        """Bring the list of files and the manifest to what is there now."""
        folder = self.snapshot.folder
        files = [
            self._as_it_is(file, samples)
            for path, file in listed.items()
            if path not in removed and (path == SAMPLES or (folder / path).exists())
        ]
        text = files_text(files)
        manifest = dict(read_manifest(folder) or {})
        manifest |= {
            "pairs": len(samples.rows),
            "photos": len({row["number"] for row in samples.rows}),
            "licences": dict(sorted(Counter(row.get("licence") or NONE_GIVEN for row in samples.rows).items())),
            "captions": dict(sorted(Counter(row["caption_source"] for row in samples.rows).items())),
            "unanswered": _known(manifest.get("unanswered"), {row["stem"] for row in samples.rows}),
            "files_sha256": sha256_hex(text),
        }
        self.eraser.put(folder / FILES, text, "", 0)
        self.eraser.put(folder / MANIFEST, manifest_text(manifest), "", 0)

    def _as_it_is(self, file: WrittenFile, samples: Kept) -> WrittenFile:
        """A file as the list is to have it; pictures are what they were."""
        if file.path == SAMPLES:
            return replace(file, sha256=sha256_hex(samples.data), size=len(samples.data))
        path = self.snapshot.folder / file.path
        shard = self.snapshot.spec is not None and self.snapshot.spec.shards is not None and file.made_of != BESIDE
        if not shard and not (file.made_of == BESIDE and file.path.endswith(TABLES)):
            return file
        sha256 = file_sha256(path)
        # A later export must not take it for what it was made of.
        made_of = canonical_digest(["rewritten", sha256]) if shard and sha256 != file.sha256 else file.made_of
        return WrittenFile(file.path, sha256, path.stat().st_size, made_of)


def _pictures(rows: Iterable[Row]) -> frozenset[str]:
    """The sha256 of the split's pictures that pairs show."""
    return frozenset(str(row.get(name)) for row in rows for name in ("target_sha256", "condition_sha256"))


def _rewrite(shard: Path, shards: Shards, stems: set[str]) -> None:
    """Write a shard anew without some pairs: whole or not at all."""

    def kept() -> Iterator[PairBytes]:
        return (pair for pair in shards.read(shard) if pair.stem not in stems)

    temp = shard.with_name(f".relight-{secrets.token_hex(8)}.tmp")
    try:
        shards.write(temp, kept())
        with temp.open("rb") as file:
            os.fsync(file.fileno())
        temp.replace(shard)
    finally:
        temp.unlink(missing_ok=True)


def _known(unanswered: Any, stems: set[str]) -> list[Any]:
    entries = unanswered if isinstance(unanswered, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("stem") in stems]
