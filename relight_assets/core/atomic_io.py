"""Whole files or none: a temp file in the same folder, then a rename."""

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_TEMP = re.compile(r"\.relight-[0-9a-f]{16}\.tmp")


class PlaceTakenError(OSError):
    """What lies in a file's place can be neither written over nor removed, although the folder can be written.

    A folder that is not empty, or somebody else's file in a folder in which only owners remove theirs.
    """

    def __init__(self, path: Path, error: OSError):
        super().__init__(error.errno, error.strerror, str(path))


_TAKEN = {errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST, errno.EPERM, errno.EACCES, errno.EBUSY}
"""What a rename or a removal is refused with because of what lies there."""


def write_atomic(
    path: Path,
    data: bytes | memoryview | Iterable[bytes],
    *,
    durable: bool = False,
    rename: Callable[[Path, Path], object] = Path.replace,
) -> None:
    """Write a whole file or none: a temp file in the same folder, then a rename over ``path``.

    A killed process leaves the old file or the new one.  A power cut is different.  With ``durable``
    the bytes and the rename are on the disk before this returns (records, the index and CSVs are
    written so).  Without it (images: six a portrait, and fsync would cost more than they do) the
    file may be missing, empty or short afterwards although its record is there; the record's size
    and token then do not match and the stage is done again.  Only a file system that orders no data
    (ext4 ``data=writeback``) can leave the right size with wrong bytes; the sha256 tells.

    Args:
        path: the file.
        data: all of it, or blocks, which are written as they come; what they raise leaves the old file.
        durable: as above.
        rename: puts the temp file in the file's place, as ``Path.replace`` does.

    Raises:
        PlaceTakenError: what lies at ``path`` cannot be replaced; nothing was changed.
        OSError: as the system gave it (ENOSPC, EACCES, EROFS, ...); the temp file is gone.
    """
    temp = path.parent / f".relight-{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(temp, flags, 0o666)  # the umask decides, as for any other file
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([data] if isinstance(data, bytes | memoryview) else data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        with place_of(path):
            rename(temp, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


@contextlib.contextmanager
def place_of(path: Path) -> Iterator[None]:
    """Tell apart a refusal because of what lies at ``path``: :class:`PlaceTakenError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _TAKEN:
            raise PlaceTakenError(path, error) from error
        raise


def clean_temp_files(folder: Path, *, older_than_s: float = 0.0) -> int:
    """Remove temp files that killed writers left in ``folder``; returns how many there were.

    Call it while holding the folder's lock: whoever left them is dead then.  In a folder without a
    lock give ``older_than_s``, so that a writer at work keeps its file.  Nobody else's files match.
    """
    removed = 0
    limit = time.time() - older_than_s
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return 0
    for entry in entries:
        if not _TEMP.fullmatch(entry.name):
            continue
        with contextlib.suppress(OSError):  # a folder of that name, or somebody else's file, is none of ours
            # A clock that was wrong must not keep a file for ever.
            if older_than_s == 0 or entry.stat(follow_symlinks=False).st_mtime <= limit:
                Path(entry.path).unlink()
                removed += 1
    return removed


def _sync_folder(folder: Path) -> None:
    # Some file systems cannot sync a folder and say so; the rename itself has happened all the same.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
