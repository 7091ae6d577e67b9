"""The files of a split on the file system of this machine, or on one that several machines share."""

import errno
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from filelock import FileLock, Timeout

from relight_assets.core.atomic_io import PlaceTakenError, clean_temp_files, place_of, write_atomic
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import Kind, kind_of
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp, holds, output_token, read_regular, source_token
from relight_assets.storage.locks import TakenError, holder_file, holder_of

_TICK_NS = 2_000_000_000
"""Two writes so far apart differ in the ctime on every file system, also on a server whose clock is another."""
_BUSY_S = 1.0
"""How long a writer of a database waits for its readers."""


class _OpenFolder(NamedTuple):
    prefix: str
    """How the paths of its files begin."""
    descriptor: int


@dataclass(frozen=True)
class LocalStorage:
    """See :class:`relight_assets.storage.base.Storage`."""

    _opened: _OpenFolder | None = field(default=None, repr=False, compare=False, kw_only=True)

    def read(self, path: Path | str, *, max_bytes: int | None = None) -> bytes | None:
        """The bytes of a regular file; nobody waits for a pipe, a device or a socket."""
        if self._opened is None:
            return read_regular(path, max_bytes=max_bytes)
        prefix, descriptor = self._opened
        return read_regular(os.fspath(path).removeprefix(prefix), max_bytes=max_bytes, folder=descriptor)

    def holds(self, path: Path, blocks: Iterable[bytes]) -> bool:
        """Whether a regular file holds exactly these bytes."""
        return holds(path, blocks)

    def put(
        self,
        path: Path,
        data: bytes | memoryview | Iterable[bytes],
        *,
        durable: bool = False,
        over_folder: bool = False,
    ) -> None:
        """As :func:`relight_assets.core.atomic_io.write_atomic`."""
        try:
            write_atomic(path, data, durable=durable, rename=self._rename)
        except PlaceTakenError as taken:
            if taken.errno != errno.EISDIR or not over_folder:
                raise
            _remove_folder(path)
            write_atomic(path, data, durable=durable, rename=self._rename)

    def put_stamped(self, path: Path, data: bytes | memoryview) -> FileStamp:
        """The token is asked for after the rename: on network file systems it is the server's to set."""
        self.put(path, data, over_folder=True)
        try:
            size, token = self.state(path)
        except OSError as error:  # somebody has removed it already, or the disk does not answer for this one
            raise PlaceTakenError(path, error) from error
        return FileStamp(sha256_hex(data), size, token)

    def remove(self, path: Path) -> None:
        """Remove a file, or an empty folder in its place."""
        try:
            with place_of(path):
                path.unlink(missing_ok=True)
        except PlaceTakenError:
            if not path.is_dir() or path.is_symlink():
                raise
            _remove_folder(path)

    def kind(self, path: Path | str) -> Kind | None:
        """What lies at a path, or where a link there leads."""
        for ask in (os.stat, os.lstat):
            with suppress(OSError, ValueError):
                return kind_of(ask(path).st_mode)
        return None

    def state(self, path: Path | str) -> tuple[int, str]:
        """Size and token; where a link leads."""
        status = os.stat(path)  # noqa: PTH116
        return status.st_size, output_token(status)

    def version(self, path: Path | str) -> str | None:
        """Size, mtime, ctime and inode; where a link leads."""
        prefix, descriptor = self._opened or ("", None)
        try:
            status = os.stat(os.fspath(path).removeprefix(prefix), dir_fd=descriptor)
        except (OSError, ValueError):
            return None
        young = time.time_ns() - status.st_ctime_ns < _TICK_NS
        return None if young else f"{status.st_size}.{source_token(status)}"

    def have_states(self, prefix: str, states: Iterable[tuple[str, int, str]]) -> bool:
        """As text and not Path, which costs as much as the stat; in an open folder by name: a sixth less."""
        folder, descriptor = self._opened or ("", None)
        prefix, ask = prefix.removeprefix(folder), os.stat
        try:
            for name, size, token in states:
                status = ask(prefix + name, dir_fd=descriptor)
                if status.st_size != size or str(status.st_mtime_ns) != token:  # output_token
                    return False
        except OSError:  # a link in a circle, a disk that does not answer
            return False
        return True

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Storage]:
        """The folder is held by a descriptor, on systems that can look up a name in one."""
        if not {os.open, os.stat} <= os.supports_dir_fd:
            yield self
            return
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield self
            return
        try:
            yield replace(self, _opened=_OpenFolder(f"{folder}/", descriptor))
        finally:
            os.close(descriptor)

    def database(self, path: Path, *, to_write: bool) -> sqlite3.Connection | None:
        """In a file, which nobody needs to keep; a link or a pipe in its place is left alone."""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
        except OSError:
            if not to_write:
                return None
        uri = f"file:{quote(os.fspath(path))}?mode={'rwc' if to_write else 'ro'}"
        with suppress(sqlite3.Error):
            return sqlite3.connect(uri, uri=True, timeout=_BUSY_S if to_write else 0, isolation_level=None)
        return None

    def names(self, folder: Path) -> Iterator[str]:
        """The names in a folder."""
        try:
            # All at once: one by one they take a fifth longer, and a split holds seven for each image.
            return iter(os.listdir(folder))  # noqa: PTH208
        except FileNotFoundError:
            return iter(())

    def make_folder(self, folder: Path) -> None:
        """Make a folder, and those above it."""
        folder.mkdir(parents=True, exist_ok=True)

    def link(self, source: Path, target: Path) -> None:
        """A hard link; a copy with the same mtime where the file system has none."""
        try:
            target.hardlink_to(source)
        except OSError:  # another file system, or one without links
            shutil.copy2(source, target)

    def clean(self, folder: Path) -> None:
        """Remove temp files that killed writers left."""
        clean_temp_files(folder)

    @contextmanager
    def lock(self, path: Path, *, to_read: bool = False) -> Iterator[None]:
        """A kernel lock; a file that must not be there, where the file system has none."""
        if to_read and not os.access(path.parent, os.W_OK):
            yield
            return
        self.make_folder(path.parent)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise TakenError(holder_of(path)) from None
        try:
            with holder_file(path, self):
                yield
        finally:
            lock.release()

    def _rename(self, temp: Path, path: Path) -> None:
        """Put a whole temp file in a file's place."""
        temp.replace(path)


def _remove_folder(path: Path) -> None:
    with place_of(path):
        path.rmdir()


LOCAL = LocalStorage()
"""It has no state, so one is enough."""
