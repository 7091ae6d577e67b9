"""Where the files of a split lie: all that reads or writes one asks its layout's storage.

There is one implementation, :class:`relight_assets.storage.local.LocalStorage`; the fault tests hand in another.  Paths
are the names: what a storage does below them is its own business.  A storage goes to worker processes by pickle.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from relight_assets.core.regular_files import Kind
from relight_assets.storage.files import FileStamp


class Storage(Protocol):
    """Whole files or none, by their paths."""

    def read(self, path: Path | str, *, max_bytes: int | None = None) -> bytes | None:
        """The bytes of a file; None where what lies there is no file, or one of more than ``max_bytes``.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """

    def holds(self, path: Path, blocks: Iterable[bytes]) -> bool:
        """Whether a file is there that holds exactly these bytes; it is read block by block.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """

    def put(
        self,
        path: Path,
        data: bytes | memoryview | Iterable[bytes],
        *,
        durable: bool = False,
        over_folder: bool = False,
    ) -> None:
        """Write a whole file or none; whoever is killed leaves the old file or the new one.

        Args:
            path: the file; its folder is there.
            data: all of it; or, but for ``over_folder``, blocks, which are written as they come.
            durable: it outlasts a power cut.
            over_folder: an empty folder in its place is replaced.

        Raises:
            PlaceTakenError: what lies there cannot be replaced; nothing was changed.
            OSError: as the system gave it.
        """

    def put_stamped(self, path: Path, data: bytes | memoryview) -> FileStamp:
        """:meth:`put` over a folder too, and the stamp that a record keeps of the file."""

    def remove(self, path: Path) -> None:
        """Remove a file, or an empty folder in its place; nothing happens where there is none.

        Raises:
            PlaceTakenError: what lies there cannot be removed.
            OSError: as the system gave it.
        """

    def kind(self, path: Path | str) -> Kind | None:
        """What lies at a path, or where a link there leads; None where nothing lies, or it cannot be asked for.

        A link that leads nowhere is ``no regular file``.
        """

    def state(self, path: Path | str) -> tuple[int, str]:
        """Size in bytes and token of a file, as in its stamp: equal ones mean equal content.

        Raises:
            OSError: there is no such file, or it cannot be asked for.
        """

    def version(self, path: Path | str) -> str | None:
        """A text that each write of a file changes, even one of the same size at the same time.

        None where there is no file, or where it was written so shortly ago that one more write might not show.
        """

    def have_states(self, prefix: str, states: Iterable[tuple[str, int, str]]) -> bool:
        """Whether files, whose paths begin alike, all have a size and a token; one that cannot be asked for has not.

        One call for all files of an image: a plan asks for millions.

        Args:
            prefix: how all paths begin; not only a part of the folder's.
            states: of each file how its path goes on, its size in bytes and its token.
        """

    def opened(self, folder: Path) -> "AbstractContextManager[Storage]":
        """This storage, for as long as the block runs, where one folder may stay open: for many questions about it.

        A folder that is not there, or that cannot be opened, makes no difference.
        """

    def database(self, path: Path, *, to_write: bool) -> sqlite3.Connection | None:
        """An SQLite database for a cache, in autocommit mode; None where none can be opened.

        To read, it must be there; to write, it is made.  Nothing of it has been read yet, so it may be damaged.
        """

    def names(self, folder: Path) -> Iterator[str]:
        """The names in a folder, in no order; none where it is not there.

        Raises:
            OSError: it cannot be read.
        """

    def make_folder(self, folder: Path) -> None:
        """Make a folder, and those above it, where there is none.

        Raises:
            OSError: it cannot be made.
        """

    def link(self, source: Path, target: Path) -> None:
        """Have a file lie at ``target`` too, where nothing lies, with the same token; neither is ever changed.

        Raises:
            OSError: as the system gave it.
        """

    def clean(self, folder: Path) -> None:
        """Remove what killed writers left in a folder, whose only writer the caller is.

        Raises:
            OSError: the folder cannot be read.
        """

    def lock(self, path: Path, *, to_read: bool = False) -> AbstractContextManager[None]:
        """Hold the lock of a folder while the block runs, without waiting for it; it ends with its holder's process.

        Args:
            path: of the lock, in the folder, which is made where it is missing.
            to_read: the holder only reads.  A folder that is not there, or that cannot be written, needs no lock then.

        Raises:
            TakenError: somebody else holds it.
            OSError: the lock cannot be made.
        """
