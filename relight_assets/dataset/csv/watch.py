"""What happened to the CSVs of a folder since the last call: which are new or other, and which are still being written.

A file is read when its size and token (mtime, ctime, inode) were the same in two calls in a row; until then somebody
may be writing it.  What counts is its content: a file that was merely touched did not change.
"""

import errno
from dataclasses import dataclass, field, replace
from pathlib import Path

from relight_assets.dataset.csv.contents import KnownCsvs
from relight_assets.dataset.csv.folder import list_csvs, no_rows, shown
from relight_assets.dataset.csv.read import SplitCsv, name_part
from relight_assets.errors import CsvError
from relight_assets.storage.files import source_token


@dataclass(frozen=True)
class CsvStamp:
    """A CSV as it was at the last call."""

    size: int
    token: str
    sha256: str | None = None
    """Of the content that was last reported as changed; None: none yet."""


@dataclass(frozen=True)
class Changes:
    """What one call found."""

    stamps: dict[str, CsvStamp]
    """Every CSV that gives a split, by the split's name, to be handed to the next call."""
    paths: dict[str, Path] = field(default_factory=dict)
    """The one CSV of each split, whether it can be used or not."""
    changed: dict[str, SplitCsv] = field(default_factory=dict)
    """The CSVs whose content is new, by split; all have rows."""
    resting: list[str] = field(default_factory=list)
    """Splits whose CSV is new or has changed since the last call: it may still be being written."""
    faults: dict[Path, CsvError] = field(default_factory=dict)
    """What is wrong with each CSV that cannot be used."""
    empty: dict[str, str] = field(default_factory=dict)
    """A sentence for each split whose CSV has no rows."""
    gone: list[str] = field(default_factory=list)
    """Splits whose CSV was there at the last call and is not now."""

    def usable(self, split: str) -> bool:
        """Whether a run of this split has a CSV to work with, as far as this call knows."""
        there = split in self.stamps and split in self.paths and split not in self.empty
        return there and self.paths[split] not in self.faults


def detect_changes(csv_dir: Path, glob: str, before: dict[str, CsvStamp], known: KnownCsvs | None = None) -> Changes:
    """Look at the CSVs of a folder.

    Args:
        csv_dir: the folder.
        glob: which of its files are CSVs of splits.
        before: what the last call has found.
        known: what CSVs hold that need not be read again.

    Raises:
        CsvError: the folder cannot be listed.
    """
    known = KnownCsvs() if known is None else known
    folder = list_csvs(csv_dir, glob)
    changes = Changes(stamps={}, paths=folder.found, faults=dict(folder.faults))
    for split, path in folder.found.items():
        _classify(split, path, before.get(split), known, changes)
    for split in set(map(name_part, changes.faults)) & before.keys() - changes.stamps.keys():
        changes.stamps[split] = before[split]  # it is there: as soon as it can be used again it goes on from here
    changes.gone.extend(split for split in before if split not in changes.stamps)
    known.save()
    return changes


def _classify(split: str, path: Path, before: CsvStamp | None, known: KnownCsvs, changes: Changes) -> None:
    try:
        status = path.stat()
    except OSError as error:
        if error.errno != errno.ENOENT:  # else it has gone since the folder was listed
            changes.faults[path] = CsvError(f"{shown(str(path))} cannot be read: {error.strerror}.")
        return
    now = CsvStamp(status.st_size, source_token(status), before.sha256 if before else None)
    changes.stamps[split] = now
    if before is None or (before.size, before.token) != (now.size, now.token):
        changes.resting.append(split)
        return
    try:
        _compare(split, path, now, known, changes)
    except CsvError as error:
        changes.faults[path] = error


def _compare(split: str, path: Path, now: CsvStamp, known: KnownCsvs, changes: Changes) -> None:
    content = known.content(path)
    if content is not None and content.rows and content.sha256 == now.sha256:
        return
    csv = known.read(path, rested=True)
    if not csv.lines:
        changes.empty[split] = no_rows(path)
    elif csv.sha256 != now.sha256:
        changes.changed[split] = csv
        changes.stamps[split] = replace(now, sha256=csv.sha256)
