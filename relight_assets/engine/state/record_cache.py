"""What scans keep of records: of an image that is finished, a scan asks the disk and parses nothing.

It is derived, and records decide: what is kept of one counts only as long as the record is the very file that was
read.  So it may be removed at any time.  Whoever holds the folder's lock writes it; who only reads uses it where it is.
"""

import dataclasses
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import NamedTuple

import msgspec

from relight_assets import __version__
from relight_assets.dataset.layout import RECORD_SUFFIX, SplitLayout
from relight_assets.dataset.record_types import RecordStamps
from relight_assets.dataset.records import read_stamps
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.image_state import ImageState
from relight_assets.stages.registry import stages

_FORMAT = 1
"""To be raised when what is kept of a record changes."""
_ROWS_AT_ONCE = 1000
_TABLE = "CREATE TABLE records (number INTEGER PRIMARY KEY, version TEXT, settled TEXT, checksum INTEGER, stamps BLOB)"
_PUT = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)"
_GET = "SELECT version, settled, checksum, stamps FROM records WHERE number = ?"


class KnownRecord(NamedTuple):
    """What a record says of files."""

    stamps: RecordStamps
    version: str | None = None
    """Of the file that was read (:meth:`relight_assets.storage.base.Storage.version`)."""
    settled: bool = False
    """It is known that every stage has the digest that it would have now."""
    kept: bool = False


class RecordCache:
    """Reads the records of a split, those that it knows without a look at what they hold.

    All that fails here but the reading of a record costs the cache, and never an image.

    Args:
        layout: the split's folder.
        database: within a transaction; None: nothing is kept, and nothing known.
        identity: of the digests that count.
        writable: whether more may be kept.
    """

    def __init__(self, layout: SplitLayout, database: sqlite3.Connection | None, identity: str, *, writable: bool):
        self.layout, self._database, self._identity = layout, database, identity
        self._writable = writable
        self._new: list[tuple[int, str, str | None, int, bytes]] = []
        self.damaged = False

    def read(self, number: int) -> KnownRecord | None:
        """What the record of an image says; None and errors as :func:`relight_assets.dataset.records.read_stamps`."""
        # Text and not Path, which to make costs more than a file that is not there.
        path = f"{self.layout.numbered_as(number)}{RECORD_SUFFIX}"
        version = self.layout.storage.version(path) if self._database is not None else None
        if version is not None and (known := self._known(number, version)) is not None:
            return known
        stamps = read_stamps(path, self.layout.storage)
        return KnownRecord(stamps, version) if stamps is not None else None

    def keep(self, record: KnownRecord, *, settled: bool) -> None:
        """Keep what a record says that was read."""
        if not self._writable or self._database is None or record.version is None:
            return
        if record.kept and record.settled == settled:
            return
        number, identity = record.stamps.index, self._identity if settled else None
        blob = msgspec.msgpack.encode(record.stamps)
        checksum = _checksum(number, record.version, identity, blob)
        self._new.append((number, record.version, identity, checksum, blob))
        if len(self._new) >= _ROWS_AT_ONCE:
            self.write()

    def write(self) -> None:
        """Have the database take what is to be kept."""
        if self._database is None or not self._new:
            return
        try:
            self._database.executemany(_PUT, self._new)
        except sqlite3.Error:
            self._give_up()
        self._new.clear()

    def finish(self) -> None:
        """End the transaction: what was put stays."""
        self.write()
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute("COMMIT")

    def _known(self, number: int, version: str) -> KnownRecord | None:
        assert self._database is not None  # noqa: S101
        try:
            row = self._database.execute(_GET, (number,)).fetchone()
            if row is None:
                return None
            was, settled, checksum, blob = row
            if was != version or checksum != _checksum(number, was, settled, blob):
                return None
            return KnownRecord(_STAMPS.decode(blob), version, settled == self._identity, kept=True)
        except (sqlite3.Error, msgspec.DecodeError, TypeError):
            self._give_up()
            return None

    def _give_up(self) -> None:
        self._database, self.damaged = None, True


_STAMPS = msgspec.msgpack.Decoder(RecordStamps)


def _checksum(number: int, version: str, settled: str | None, stamps: bytes) -> int:
    """Of a row: a database that is not kept from power cuts may hold parts of several."""
    return zlib.crc32(stamps, zlib.crc32(f"{number} {version} {settled}".encode()))


@contextmanager
def open_records(layout: SplitLayout, identity: str, *, to_write: bool = False) -> Iterator[RecordCache]:
    """The records of a split, for as long as the block runs, in which the folder may stay open.

    Args:
        layout: the split's folder; ``to_write``: the caller holds its lock.
        identity: of the digests that count.
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
        if format_ == _format():
            return True
        if to_write:
            database.execute("DROP TABLE IF EXISTS records")
            database.execute(_TABLE)
            database.execute(f"PRAGMA user_version = {_format()}")
    except sqlite3.Error:
        return False
    return to_write


def _format() -> int:
    """A number for this version of the package and of its stages: another one may read the same record otherwise."""
    parts = [_FORMAT, __version__, *((spec.name, spec.artifacts, spec.per_light) for spec in stages())]
    return zlib.crc32(repr(parts).encode()) & 0x7FFFFFFF


def keep_records(layout: SplitLayout, digests: Digests, images: Iterable[ImageState]) -> None:
    """Keep what the records of images say now; the caller holds the folder's lock."""
    with open_records(layout, digests.identity, to_write=True) as records:
        for image in images:
            with suppress(OSError):
                if image.index is not None and (record := records.read(image.index)) is not None:
                    records.keep(record, settled=image.is_settled and not digests.geometry.from_file)
