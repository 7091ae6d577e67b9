"""Files that a command writes where it is asked to."""

from pathlib import Path

from relight_assets.core.atomic_io import write_atomic
from relight_assets.errors import UserError


def write_file(path: Path, data: bytes) -> None:
    """Write a file, and the folders that it is in.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
