"""What happened to the CSVs of a folder since the last look: which are new or other, and which are still being written.

A file is read when its size and token (mtime, ctime, inode) were the same at two looks in a row; until then somebody
may be writing it.  What counts is its content: a file that was merely touched did not change.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from relight_assets.dataset.files import source_token
from relight_assets.dataset.split_csv import SplitCsv, list_splits, read_split_csv
from relight_assets.errors import CsvError


@dataclass(frozen=True)
class Seen:
    """A CSV as it was at the last look."""

    size: int
    token: str
    sha256: str | None = None
    """Of the content when it was last read; None: never yet."""
    fault: str | None = None
    """What is wrong with the content that was read last."""
    read: bool = False
    """Whether the content of this size and token was read."""


@dataclass(frozen=True)
class Changes:
    """What one look found."""

    seen: dict[str, Seen]
    """Every CSV that gives a split, by the split's name, to be handed to the next look."""
    changed: dict[str, SplitCsv] = field(default_factory=dict)
    """The CSVs whose content is new, by split."""
    resting: list[str] = field(default_factory=list)
    """Splits whose CSV moved since the last look: it is left alone until the next."""
    faults: list[str] = field(default_factory=list)
    """A sentence for every CSV that cannot be used."""
    gone: list[str] = field(default_factory=list)
    """Splits whose CSV was there at the last look and is not now."""


def look(csv_dir: Path, glob: str, before: dict[str, Seen]) -> Changes:
    """Look at the CSVs of a folder; ``before`` is what the last look has seen.

    Raises:
        CsvError: the folder cannot be listed.
    """
    found, faults = list_splits(csv_dir, glob)
    changes = Changes(seen={}, faults=sorted({str(fault) for fault in faults.values()}))
    for split, path in found.items():
        _look_at(split, path, before.get(split), changes)
    changes.gone.extend(split for split in before if split not in changes.seen)
    return changes


def _look_at(split: str, path: Path, before: Seen | None, changes: Changes) -> None:
    try:
        status = path.stat()
    except OSError:
        return  # gone since the folder was listed
    now = Seen(status.st_size, source_token(status), before.sha256 if before else None)
    if before is None or (before.size, before.token) != (now.size, now.token):
        changes.seen[split] = now
        changes.resting.append(split)
        return
    changes.seen[split] = before if before.read else _read(split, path, now, changes)
    fault = changes.seen[split].fault
    if fault is not None:
        changes.faults.append(fault)


def _read(split: str, path: Path, now: Seen, changes: Changes) -> Seen:
    try:
        csv = read_split_csv(path)
    except CsvError as error:
        return replace(now, fault=str(error), read=True)
    if csv.sha256 != now.sha256:
        changes.changed[split] = csv
    return replace(now, sha256=csv.sha256, read=True)
