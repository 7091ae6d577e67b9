"""What the CSVs of a folder hold: those that can be used, those without rows, and what is wrong with the others.

What was read is remembered until the file changes, so that a large CSV is not read again to learn that it is as it was.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from relight_assets import __version__
from relight_assets.core.atomic_io import write_atomic
from relight_assets.dataset.csv.folder import CsvFolder, read_csv, shown
from relight_assets.dataset.csv.read import SplitCsv
from relight_assets.errors import CsvError
from relight_assets.storage.files import read_regular, source_token

RESTED_S = 2.0
"""A file that changed less long ago may change again without another time: what it holds is not remembered."""


@dataclass(frozen=True)
class CsvContent:
    """What a CSV of this size and token was found to hold."""

    size: int
    token: str
    sha256: str = ""
    rows: int = 0
    fault: str | None = None
    """Why it cannot be used; then there is neither sha256 nor rows."""


@dataclass
class KnownCsvs:
    """The contents of CSVs by path.  Those that can be used are kept in ``file``, which may be deleted at any time.

    A fault is remembered by this process alone: another version may read what this one refuses.  One that the system
    caused (no permission, a failing disk, no memory) is not remembered at all.
    """

    file: Path | None = None
    contents: dict[str, CsvContent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contents = _load(self.file) | self.contents

    def content(self, path: Path) -> CsvContent | None:
        """What a CSV holds, if that is known; nothing is read.

        Raises:
            CsvError: it is known that it cannot be used, or it cannot be looked at.
        """
        known = self.contents.get(str(path))
        if known is None or (known.size, known.token) != _stamp(_stat(path)):
            return None
        if known.fault is not None:
            raise CsvError(known.fault)
        return known

    def read(self, path: Path, *, rested: bool = False) -> SplitCsv:
        """Read a CSV, and remember what it holds; ``rested``: somebody saw that nobody writes to it any more.

        Raises:
            CsvError: it cannot be used.
        """
        before = _stat(path)
        rested = rested or time.time() - before.st_ctime > RESTED_S
        size, token = _stamp(before)
        try:
            csv = read_csv(path)
        except CsvError as error:
            if rested and not isinstance(error.__cause__, (OSError, MemoryError)):
                self._remember(path, CsvContent(size, token, fault=str(error)))
            raise
        if rested:
            self._remember(path, CsvContent(size, token, csv.sha256, len(csv.lines)))
        return csv

    def rows(self, path: Path) -> int:
        """How many rows a CSV has; it is read where that is not known.

        Raises:
            CsvError: it cannot be used.
        """
        known = self.content(path)
        return known.rows if known is not None else len(self.read(path).lines)

    def _remember(self, path: Path, content: CsvContent) -> None:
        with suppress(CsvError):  # it has gone meanwhile
            if _stamp(_stat(path)) == (content.size, content.token):
                self.contents[str(path)] = content

    def save(self) -> None:
        """Write down what is known, where that is possible."""
        if self.file is None:
            return
        stored = _load(self.file)  # other processes write there too
        usable = {path: one for path, one in self.contents.items() if one.fault is None}
        with suppress(OSError):
            kept = {path: one for path, one in (stored | usable).items() if Path(path).exists()}
            if kept != stored:
                write_atomic(self.file, _Stored(version=__version__, csvs=kept).model_dump_json(indent=1).encode())


@dataclass(frozen=True)
class CheckedCsvs:
    """Which CSVs of a folder can be used."""

    usable: dict[str, Path]
    """By split: those with rows."""
    empty: dict[str, Path]
    """By split: those with a header and no rows."""
    faults: dict[Path, CsvError]
    """What is wrong with each of the others."""


def check_csvs(folder: CsvFolder, known: KnownCsvs) -> CheckedCsvs:
    """Read every CSV of a folder of which it is not known what it holds."""
    checked = CheckedCsvs({}, {}, dict(folder.faults))
    for split, path in folder.found.items():
        try:
            (checked.usable if known.rows(path) else checked.empty)[split] = path
        except CsvError as error:
            checked.faults[path] = error
    known.save()
    return checked


class _Stored(BaseModel):
    version: str
    csvs: dict[str, CsvContent]


def _load(file: Path | None) -> dict[str, CsvContent]:
    if file is None:
        return {}
    try:
        stored = _Stored.model_validate_json(read_regular(file) or b"")
    except (OSError, ValueError):
        return {}  # deleted or damaged: the CSVs are read again
    return stored.csvs if stored.version == __version__ else {}


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise CsvError(f"{shown(str(path))} cannot be read: {error.strerror}.") from error


def _stamp(status: os.stat_result) -> tuple[int, str]:
    return status.st_size, source_token(status)
