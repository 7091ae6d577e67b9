"""Files that somebody else names: opened without waiting, and only if they are files."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Literal

from relight_assets.errors import PathRefusedError

Kind = Literal["a file", "a folder", "a named pipe", "a socket", "a device", "no regular file"]
"""What lies at a path, in words."""


def kind_of(mode: int) -> Kind:
    """What lies at a path, from its ``st_mode``."""
    kinds: tuple[tuple[Callable[[int], bool], Kind], ...] = (
        (stat.S_ISREG, "a file"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((words for test, words in kinds if test(mode)), "no regular file")


@dataclass(frozen=True)
class ImageRoot:
    """The folder out of which no row's file is opened."""

    folder: Path
    hard_links: bool = False
    """Whether files with several names are opened; where the others are cannot be known."""

    @classmethod
    def of(cls, root: "AnyRoot") -> "ImageRoot | None":
        """A root as it is given; a path alone is one in which no file may have several names."""
        return cls(root) if isinstance(root, Path) else root

    @classmethod
    def of_any_names(cls, root: "AnyRoot") -> "ImageRoot | None":
        """A root in which files with several names are read too, to be hashed: a hash shows nothing of a file."""
        given = cls.of(root)
        return replace(given, hard_links=True) if given is not None else None

    def refuses(self, status: os.stat_result) -> str | None:
        """Why a file in it is not opened; None where it is."""
        if status.st_nlink < 2 or self.hard_links:
            return None
        return (
            f"it has {status.st_nlink} names (hard links), and one may lie outside image_root; copy it, or set "
            f"hard_links: true in config/platform.yaml to take such files"
        )


AnyRoot = ImageRoot | Path | None
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
# Without O_NONBLOCK, opening a pipe waits for a writer for ever; a regular file ignores the flag.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def open_regular(path: Path, image_root: AnyRoot = None) -> FileIO:
    """Open a regular file for reading, and never wait for a pipe or a device.

    Args:
        path: the file; with ``image_root`` a path without links, as ``paths.locate_image`` gives it.
        image_root: if set, what is opened lies in it, whatever was put in the place of the file or of a folder above
            it since the path was resolved.

    Raises:
        PathRefusedError: no regular file, or none in ``image_root``.
        OSError: as the system gave it.
    """
    root = ImageRoot.of(image_root)
    descriptor = os.open(path, _FILE) if root is None else _open_below(path, root.folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PathRefusedError(f"{path.name!r} is {kind_of(status.st_mode)}, not a file.")  # noqa: TRY301
        if root is not None and (reason := root.refuses(status)) is not None:
            raise PathRefusedError(f"{path.name!r} is refused: {reason}.")  # noqa: TRY301
        return FileIO(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_below(path: Path, root: Path) -> int:
    """Open a file by its names from the root on, none of which may be a link: so it cannot lead out of the root."""
    real = os.path.realpath(root)
    names = path.relative_to(real).parts if path.is_relative_to(real) else ()
    if not names or ".." in names:
        raise PathRefusedError(f"{path.name!r} is refused: it lies outside image_root.")
    folder = os.open(real, _FOLDER)
    try:
        for name in names[:-1]:
            below = _open_name(name, _FOLDER, folder)
            os.close(folder)
            folder = below
        return _open_name(names[-1], _FILE, folder)
    finally:
        os.close(folder)


def _open_name(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
    except OSError:  # of a link ELOOP or ENOTDIR
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise PathRefusedError(
                f"{name!r} is refused: it has become a link since it was looked up; run again to look it up anew."
            ) from None
        raise
