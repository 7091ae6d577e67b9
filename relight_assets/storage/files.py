"""Reading files without waiting for ever, and what tells one content of a file from another."""

import errno
import os
import stat
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Annotated

import msgspec

from relight_assets.core.hashing import sha256_hex, stream_sha256
from relight_assets.core.regular_files import AnyRoot, open_regular
from relight_assets.errors import (
    HostLimitError,
    ImageError,
    ImageSizeError,
    PathRefusedError,
    SourceMissingError,
    SourceUnreadableError,
)

_CHUNK = 1 << 20
"""Bytes that are read at a time of a file that grows."""
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Sha256Length = Annotated[
    str, msgspec.Meta(min_length=64, max_length=64, extra_json_schema={"pattern": "^[0-9a-f]{64}$"})
]
"""A sha256 whose characters are checked by whoever reads a file with many: a pattern for each takes half of a plan's
decoding."""
Count = Annotated[int, msgspec.Meta(ge=0)]


class FileStamp(msgspec.Struct, frozen=True, gc=False):
    """What a file was when it was read or written.

    ``size`` is in bytes.  ``token`` is opaque: a file with the same size and token has the same content; one with
    another token must be read to know.
    """

    sha256: Sha256Length
    size: Count
    token: str


class SourceInfo(msgspec.Struct, frozen=True, gc=False):
    """The source photo: stamp of its file, its size in pixels, upright, before any downscale, and its place.

    ``place`` is the absolute path as the CSV named it, links unresolved; None in records of schema 1.
    """

    sha256: Sha256Length
    size: Count
    token: str
    width: Count
    height: Count
    place: str | None = None

    @property
    def stamp(self) -> FileStamp:
        """The stamp of its file."""
        return FileStamp(self.sha256, self.size, self.token)


def source_token(status: os.stat_result) -> str:
    """The token of a file that others write: mtime, ctime and inode.

    Whoever puts another file in its place may set its mtime, or write within one tick of it; hardly the ctime and the
    inode too.
    """
    return f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_ino}"


def output_token(status: os.stat_result) -> str:
    """The token of a file of ours: mtime alone, because hard links, which experiments share, change the ctime."""
    return str(status.st_mtime_ns)


def same_token(token: str, status: os.stat_result) -> bool:
    """Whether a file still has a token.  The sources' tokens of the first version's records are mtimes alone."""
    return token in (source_token(status), output_token(status))


def read_source(path: Path, *, max_bytes: int, image_root: AnyRoot = None) -> tuple[bytes, FileStamp]:
    """The bytes of a source photo, read once, and their stamp.

    The file is opened without blocking and looked at again through the open handle, so a pipe or a
    device that took the file's place after it was checked is refused and never waited for; and so is,
    with ``image_root``, what does not lie in it.

    Raises:
        SourceMissingError: no such file.
        PathRefusedError: no regular file, or none in ``image_root``.
        ImageSizeError: more than ``max_bytes``.
        SourceUnreadableError: the system could not read it, or it changed meanwhile.  May pass.
        HostLimitError: no more files can be opened, which is not this file's fault.
    """
    try:
        with open_regular(path, image_root) as file:
            before = os.fstat(file.fileno())
            if before.st_size > max_bytes:
                raise ImageSizeError(f"{path.name!r} has {before.st_size:,} bytes; at most {max_bytes:,} are taken.")
            data = _read_up_to(file, before.st_size + 1)  # one more, to notice a file that grows
            after = os.fstat(file.fileno())
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) != before.st_size or not _same(before, after):
        raise _changed(path)
    return data, FileStamp(sha256_hex(data), before.st_size, source_token(before))


def stamp_source(path: Path, image_root: AnyRoot = None) -> FileStamp:
    """The stamp of a source photo, read in pieces of 1 MiB; it is not decoded.

    Raises:
        SourceMissingError, PathRefusedError, SourceUnreadableError: as :func:`read_source`.
    """
    try:
        with open_regular(path, image_root) as file:
            before = os.fstat(file.fileno())
            sha256, length = stream_sha256(file, before.st_size)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise _unreadable(path, error) from error
    if length != before.st_size or not _same(before, after):
        raise _changed(path)
    return FileStamp(sha256, before.st_size, source_token(before))


def read_regular(path: Path | str, *, max_bytes: int | None = None, folder: int | None = None) -> bytes | None:
    """The bytes of a regular file; None for a pipe, a device or a socket, for which nobody waits.

    None too for a file of more than ``max_bytes``.  ``folder`` is the descriptor of the one that a name is in.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer for ever.  A FileIO would cost as much as the read.
    descriptor = os.open(path, _READ, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
            return None
        if max_bytes is not None and status.st_size > max_bytes:
            return None
        data = os.read(descriptor, status.st_size + 1)  # one more, to notice a file that grows
        if len(data) == status.st_size:
            return data
        parts = [data]
        while parts[-1]:
            parts.append(os.read(descriptor, _CHUNK))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def holds(path: Path, blocks: Iterable[bytes]) -> bool:
    """Whether a regular file holds exactly these bytes; it is read block by block, no further than they are the same.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    with FileIO(path, opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return False
        return all(_read_up_to(file, len(block)) == block for block in blocks) and not file.read(1)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _read_up_to(file: FileIO, length: int) -> bytes:
    # One raw read may return less than was asked for: above 2 GiB, or on network file systems.
    parts: list[bytes] = []
    while length > 0 and (piece := file.read(length)):
        parts.append(piece)
        length -= len(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, source_token(before)) == (after.st_size, source_token(after))


def _changed(path: Path) -> SourceUnreadableError:
    return SourceUnreadableError(
        f"{path.name!r} changed while it was read. Run again when nobody writes to it any more."
    )


def host_limit(error: OSError) -> HostLimitError | None:
    """What to tell when an operation failed because the machine has run out of something; None otherwise."""
    if error.errno not in {errno.EMFILE, errno.ENFILE}:
        return None
    return HostLimitError(
        f"too many open files ({error.strerror}): raise the limit (`ulimit -n 65536`), or use fewer workers or threads"
    )


def _unreadable(path: Path, error: OSError) -> ImageError | HostLimitError:
    reason = error.strerror or type(error).__name__
    if limit := host_limit(error):
        return limit
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return SourceMissingError(f"There is no file {path.name!r} where the CSV says.")
    if error.errno in {errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EISDIR}:
        return PathRefusedError(f"{path.name!r} cannot be opened as a file: {reason}.")
    return SourceUnreadableError(f"{path.name!r} could not be read: {reason}. Check permissions and disk.")
