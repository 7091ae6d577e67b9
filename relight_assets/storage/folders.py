"""Whether a folder can be written, before anything is: the system is asked, and nothing is tried."""

import os
from contextlib import suppress
from pathlib import Path


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path("/"))


def write_fault(folder: Path) -> str | None:
    """Why nothing can be written into a folder, or why it cannot be made; None where it can.

    A part of a sentence, such as ``/data is on a read-only file system``.
    """
    there = nearest(folder)
    if not os.path.isdir(there):  # noqa: PTH112  (never an error)
        return f"{there} is not a folder"
    # For the effective user first; some containers refuse that call, and the other leaves out capabilities.
    ways = (True, False) if os.access in os.supports_effective_ids else (False,)
    if any(os.access(there, os.W_OK | os.X_OK, effective_ids=way) for way in ways):
        return None
    with suppress(OSError):
        if os.statvfs(there).f_flag & os.ST_RDONLY:
            return f"{there} is on a read-only file system"
    return f"this user may not write in {there}"
