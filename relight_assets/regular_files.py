"""Files that somebody else names: opened without waiting, and only if they are files."""

import os
import stat
from io import FileIO
from pathlib import Path

from relight_assets.errors import PathRefusedError


def kind_of(mode: int) -> str:
    """What a file that is no regular file is, in words, from its ``st_mode``."""
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((words for test, words in kinds if test(mode)), "no regular file")


def open_regular(path: Path) -> FileIO:
    """Open a regular file for reading, and never wait for a pipe or a device.

    Raises:
        PathRefusedError: no regular file.
        OSError: as the system gave it.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer for ever; a regular file ignores the flag.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise PathRefusedError(f"{path.name!r} is {kind_of(mode)}, not a file.")  # noqa: TRY301
        return FileIO(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
