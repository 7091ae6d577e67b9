"""What scans keep of records: of an image that is finished, a scan asks the disk and parses nothing.

Beside it stands what a search over many records found, for the next one to go on from.  All of it is derived, and
records decide: what is kept of one counts only as long as the record is the very file that was read.  So it may be
removed at any time.  Whoever holds the folder's lock writes it; who only reads uses it where it is.
"""

import dataclasses
import sqlite3
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import NamedTuple, TypeVar

import msgspec

from relight_assets import __version__
from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.layout import RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.record_types import PhotoRecord, RecordStamps
from relight_assets.dataset.records import read_photo
from relight_assets.dataset.tombstones import Tombstones
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import ImageState
from relight_assets.stages.base import artifact_file
from relight_assets.stages.registry import stages

_Kind = TypeVar("_Kind")
_FORMAT = 3
"""To be raised when what is kept of a record changes."""
_ROWS_AT_ONCE = 1000
_TABLES = {
    "records": "CREATE TABLE records (number INTEGER PRIMARY KEY, version TEXT, checksum INTEGER, stamps BLOB)",
    # Apart from the stamps, which are four times as long, because a scan of finished images reads these alone.
    "finished": "CREATE TABLE finished (number INTEGER PRIMARY KEY, identity TEXT, checksum INTEGER, asked BLOB)",
    "findings": "CREATE TABLE findings (name TEXT PRIMARY KEY, checksum INTEGER, found BLOB)",
}
_DEFINITIONS = "SELECT name, sql FROM sqlite_master WHERE name IN ('records', 'finished', 'findings')"
_PUT = "INSERT OR REPLACE INTO {} VALUES (?, ?, ?, ?)"
_ALL = "SELECT * FROM {} ORDER BY number"
_GET = "SELECT * FROM {} WHERE number = ?"
_PUT_FINDING = "INSERT OR REPLACE INTO findings VALUES (?, ?, ?)"
_GET_FINDING = "SELECT checksum, found FROM findings WHERE name = ?"
_Row = tuple[int, str, int, bytes]
"""Number, version or identity, checksum and what is kept."""
_BEGIN: _Row = (-1, "", 0, b"")
_END: _Row = (sys.maxsize, "", 0, b"")
"""Stand before the first row and after the last one."""


class Finished(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a scan asks the disk of an image whose stages all have the digests that they would have now."""

    version: str
    """Of the record, as in :class:`KnownRecord`."""
    key: str
    place: str | None
    size: int
    token: str
    """Of the photo, with its size in bytes and its place."""
    files: list[tuple[str, int, str]]
    """Last part of the name, size and token of each file."""

    @classmethod
    def of(cls, record: RecordStamps, version: str) -> "Finished":
        """What is asked of the image of a record."""
        source = record.source
        files = [
            (artifact_file(name), stamp.size, stamp.token)
            for entry in record.stages.values()
            for name, stamp in entry.files.items()
        ]
        return cls(version, record.image_path, source.place, source.size, source.token, files)


class KnownRecord(NamedTuple):
    """What a record says of files, and of its photo."""

    stamps: RecordStamps
    """A :class:`PhotoRecord` where its metrics can be read."""
    version: str | None = None
    """Of the file that was read (:meth:`relight_assets.storage.base.Storage.version`)."""
    kept: bool = False
    """It is in the cache."""


class _Rows:
    """The rows of a table by their numbers.  Asked for in order, as a scan mostly does, they come from one query."""

    def __init__(self, database: sqlite3.Connection, table: str):
        self.put = _PUT.format(table)
        self.new: list[_Row] = []
        """To be put."""
        self._all, self._get = _ALL.format(table), _GET.format(table)
        self._database = database
        self._ahead: Iterator[_Row] | None = None
        self._last = _BEGIN

    def get(self, number: int) -> _Row | None:
        """The row of a number; raises ``sqlite3.Error``."""
        row = self._last
        if row[0] > number:
            return self._database.execute(self._get, (number,)).fetchone()
        if self._ahead is None:
            self._ahead = iter(self._database.execute(self._all))
        while row[0] < number:
            row = next(self._ahead, _END)
        self._last = row
        return row if row[0] == number else None


class RecordCache:
    """Reads the records of a split, those that it knows without a look at what they hold.

    All that fails here but the reading of a record costs the cache, and never an image.

    Args:
        layout: the split's folder.
        database: within a transaction; None: nothing is kept, and nothing known.
        identity: of the digests and tombstones that count, :func:`identity_of`.
        writable: whether more may be kept.
    """

    def __init__(self, layout: SplitLayout, database: sqlite3.Connection | None, identity: str, *, writable: bool):
        self.layout, self._database, self._identity = layout, database, identity
        self._writable = writable
        self._folder = str(layout.folder)
        self._tables = {} if database is None else {name: _Rows(database, name) for name in ("records", "finished")}
        self.damaged = False

    def finished(self, number: int, *, trusted: bool = False) -> Finished | None:
        """What is to be asked of an image, if that is all: its record is what it was when all of it was current.

        ``trusted``: that it is, is believed without a look at the record.
        """
        known = self._kept("finished", number, self._identity, _FINISHED)
        if known is None or trusted or known.version == self.layout.storage.version(self._path(number)):
            return known
        return None

    def read(self, number: int) -> KnownRecord | None:
        """What the record of an image says; None and errors as :func:`relight_assets.dataset.records.read_photo`."""
        path = self._path(number)
        version = self.layout.storage.version(path) if self._database is not None else None
        if version is not None and (known := self._kept("records", number, version, _STAMPS)) is not None:
            return KnownRecord(known, version, kept=True)
        stamps = read_photo(path, self.layout.storage)
        return KnownRecord(stamps, version) if stamps is not None else None

    def keep(self, record: KnownRecord, *, settled: bool) -> None:
        """Keep what a record says that was read; ``settled``: its stages all have the digests they would have now."""
        if not self._writable or self._database is None or record.version is None:
            return
        number = record.stamps.index
        if not record.kept:
            self._put("records", number, record.version, msgspec.msgpack.encode(record.stamps))
        asked = Finished.of(record.stamps, record.version) if settled else None
        if asked != self._kept("finished", number, self._identity, _FINISHED):
            self._put("finished", number, self._identity if settled else "", msgspec.msgpack.encode(asked))

    def finding(self, name: str) -> bytes | None:
        """What a search has kept under a name; None where nothing is kept, or what is kept is damaged."""
        if self._database is None:
            return None
        try:
            checksum, found = self._database.execute(_GET_FINDING, (name,)).fetchone() or (None, None)
        except sqlite3.Error:
            self._give_up()
            return None
        if isinstance(found, bytes) and checksum == zlib.crc32(found):
            return found
        self.damaged = self.damaged or found is not None
        return None

    def keep_finding(self, name: str, found: bytes) -> None:
        """Keep what a search found."""
        if not self._writable or self._database is None:
            return
        try:
            self._database.execute(_PUT_FINDING, (name, zlib.crc32(found), found))
        except sqlite3.Error:
            self._give_up()

    def write(self) -> None:
        """Have the database take what is to be kept."""
        try:
            for rows in self._tables.values():
                if rows.new and self._database is not None:
                    self._database.executemany(rows.put, rows.new)
                    rows.new.clear()
        except sqlite3.Error:
            self._give_up()

    def finish(self) -> None:
        """End the transaction: what was put stays."""
        self.write()
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute("COMMIT")

    def _path(self, number: int) -> str:
        # Text and not Path, which to make costs more than a file that is not there.
        return f"{self._folder}/{number:05d}_{RECORD_SUFFIX}"

    def _put(self, table: str, number: int, of: str, data: bytes) -> None:
        if self._tables:
            self._tables[table].new.append((number, of, _checksum(number, of, data), data))
            if len(self._tables[table].new) >= _ROWS_AT_ONCE:
                self.write()

    def _kept(self, table: str, number: int, of: str, decoder: "msgspec.msgpack.Decoder[_Kind]") -> _Kind | None:
        """What a table has under a number, if it is of this version or identity."""
        if self._database is None:
            return None
        try:
            row = self._tables[table].get(number)
            if row is None or row[1] != of:
                return None
            if row[2] == _checksum(number, of, row[3]):
                return decoder.decode(row[3])
        except (sqlite3.Error, msgspec.DecodeError, TypeError):
            pass
        self._give_up()
        return None

    def _give_up(self) -> None:
        self._database, self.damaged = None, True
        self._tables.clear()


_STAMPS = msgspec.msgpack.Decoder(PhotoRecord)
_FINISHED = msgspec.msgpack.Decoder(Finished)


def _checksum(number: int, of: str, data: bytes) -> int:
    """Of a row: a database that is not kept from power cuts may hold parts of several."""
    return zlib.crc32(data, zlib.crc32(of.encode(), number))


@contextmanager
def open_records(layout: SplitLayout, identity: str, *, to_write: bool = False) -> Iterator[RecordCache]:
    """The records of a split, for as long as the block runs, in which the folder may stay open.

    Args:
        layout: the split's folder; ``to_write``: the caller holds its lock.
        identity: of the digests and tombstones that count, :func:`identity_of`.
        to_write: what is to be kept stays.
    """
    with layout.storage.opened(layout.folder) as storage:
        opened = dataclasses.replace(layout, storage=storage)
        database = _database(opened, to_write=to_write)
        records = RecordCache(opened, database, identity, writable=to_write)
        with closing(database) if database is not None else nullcontext():
            try:
                yield records
            finally:
                records.finish()
        if to_write and records.damaged:
            _remove(opened)


def _database(layout: SplitLayout, *, to_write: bool) -> sqlite3.Connection | None:
    """The database within its transaction; one that is damaged is made anew, by who may write."""
    for _ in range(2 if to_write else 1):
        database = layout.storage.database(layout.record_cache, to_write=to_write)
        if database is None or _begin(database, to_write=to_write):
            return database
        database.close()
        if to_write:
            _remove(layout)
    return None


def _remove(layout: SplitLayout) -> None:
    with suppress(OSError):
        layout.storage.remove(layout.record_cache)


def _begin(database: sqlite3.Connection, *, to_write: bool) -> bool:
    """Begin the one transaction of a scan; false where there is no table of this version."""
    try:
        if to_write:
            database.execute("PRAGMA synchronous=OFF")  # each row has its checksum, and may be lost
        # One for all: each of its own would lock and unlock the file for every image.
        database.execute("BEGIN")
        (format_,) = database.execute("PRAGMA user_version").fetchone()
        if format_ != _format() and to_write:
            for name, table in _TABLES.items():
                database.execute(f"DROP TABLE IF EXISTS {name}")
                database.execute(table)
            database.execute(f"PRAGMA user_version = {_format()}")
        elif format_ != _format():
            return False
        # Whatever else has the name, such as a view, might give rows of any kind, or no end of them.
        return dict(database.execute(_DEFINITIONS).fetchall()) == _TABLES
    except sqlite3.Error:
        return False


def _format() -> int:
    """A number for this version of the package and its stages, because another may take a record for something else."""
    parts = [_FORMAT, __version__, *((spec.name, spec.artifacts, spec.per_light) for spec in stages())]
    return zlib.crc32(repr(parts).encode()) & 0x7FFFFFFF


def identity_of(digests: Digests, tombstones: Tombstones) -> str:
    """A text for all that makes a finished image another: under equal ones nothing but files decides."""
    return sha256_hex(" ".join((digests.identity, *sorted(tombstones.reasons))).encode())


def keep_records(layout: SplitLayout, digests: Digests, tombstones: Tombstones, images: Iterable[ImageState]) -> None:
    """Keep what the records of images say now; the caller holds the folder's lock."""
    with open_records(layout, identity_of(digests, tombstones), to_write=True) as records:
        for image in images:
            with suppress(OSError):
                if image.index is not None and (record := records.read(image.index)) is not None:
                    records.keep(record, settled=image.is_settled and not digests.geometry.from_file)
