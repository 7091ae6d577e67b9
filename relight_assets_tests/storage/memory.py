"""A storage that keeps the files of splits in the memory of this process, and none on a disk."""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import Kind
from relight_assets.storage.base import Storage
from relight_assets.storage.files import FileStamp
from relight_assets.storage.locks import TakenError


class MemoryStorage:
    """See :class:`relight_assets.storage.base.Storage`."""

    def __init__(self) -> None:
        self.files: dict[Path, tuple[bytes, str]] = {}
        """Content and token of each."""
        self.folders: set[Path] = set()
        self.calls: set[str] = set()
        """The methods that were called."""
        self._held: set[Path] = set()
        self._databases: dict[Path, sqlite3.Connection] = {}
        self._change = threading.RLock()

    def read(self, path: Path | str, *, max_bytes: int | None = None) -> bytes | None:
        self.calls.add("read")
        data, _ = self._file(path)
        return data if max_bytes is None or len(data) <= max_bytes else None

    def holds(self, path: Path, blocks: Iterable[bytes]) -> bool:
        self.calls.add("holds")
        return self._file(path)[0] == b"".join(blocks)

    def put(
        self,
        path: Path,
        data: bytes | memoryview | Iterable[bytes],
        *,
        durable: bool = False,  # noqa: ARG002  (nothing outlasts this process)
        over_folder: bool = False,  # noqa: ARG002
    ) -> None:
        self.calls.add("put")
        whole = bytes(data) if isinstance(data, bytes | memoryview) else b"".join(data)
        with self._change:
            if path.parent not in self.folders:
                raise _no_such(path)
            self.files[path] = whole, f"{sha256_hex(whole)[:8]}.{len(self.files)}"

    def put_stamped(self, path: Path, data: bytes | memoryview) -> FileStamp:
        self.put(path, data)
        return FileStamp(sha256_hex(data), *self.state(path))

    def remove(self, path: Path) -> None:
        self.calls.add("remove")
        with self._change:
            self.files.pop(path, None)

    def kind(self, path: Path | str) -> Kind | None:
        self.calls.add("kind")
        if Path(path) in self.folders:
            return "a folder"
        return "a file" if Path(path) in self.files else None

    def state(self, path: Path | str) -> tuple[int, str]:
        self.calls.add("state")
        data, token = self._file(path)
        return len(data), token

    def version(self, path: Path | str) -> str | None:
        self.calls.add("version")
        with self._change:
            found = self.files.get(Path(path))
        return found[1] if found is not None else None

    def database(self, path: Path, *, to_write: bool) -> sqlite3.Connection | None:
        self.calls.add("database")
        if path not in self._databases and not to_write:
            return None
        name = f"file:{sha256_hex(str((id(self), path)).encode())}?mode=memory&cache=shared"
        if path not in self._databases:  # it is there as long as somebody has it open
            self._databases[path] = sqlite3.connect(name, uri=True, check_same_thread=False)
        return sqlite3.connect(name, uri=True, isolation_level=None)

    def have_states(self, prefix: str, states: Iterable[tuple[str, int, str]]) -> bool:
        self.calls.add("have_states")
        try:
            return all(self.state(prefix + name) == (size, token) for name, size, token in states)
        except OSError:
            return False

    def opened(self, folder: Path) -> AbstractContextManager[Storage]:  # noqa: ARG002
        self.calls.add("opened")
        return nullcontext(self)

    def names(self, folder: Path) -> Iterator[str]:
        self.calls.add("names")
        with self._change:
            inside = [path.name for path in (*self.files, *self.folders) if path.parent == folder]
        yield from inside

    def make_folder(self, folder: Path) -> None:
        self.calls.add("make_folder")
        with self._change:
            self.folders |= {folder, *folder.parents}

    def link(self, source: Path, target: Path) -> None:
        self.calls.add("link")
        with self._change:
            self.files[target] = self._file(source)

    def clean(self, folder: Path) -> None:  # noqa: ARG002
        """Nothing is ever left."""
        self.calls.add("clean")

    @contextmanager
    def lock(self, path: Path, *, to_read: bool = False) -> Iterator[None]:
        self.calls.add("lock")
        with self._change:
            if path in self._held:
                raise TakenError("this process")
            if not to_read:
                self.make_folder(path.parent)
            self._held.add(path)
        try:
            yield
        finally:
            self._held.remove(path)

    def _file(self, path: Path | str) -> tuple[bytes, str]:
        with self._change:
            found = self.files.get(Path(path))
        if found is None:
            raise _no_such(path)
        return found


def _no_such(path: Path | str) -> OSError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
