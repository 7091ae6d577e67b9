"""The folder of temporary files, in which Dagster's servers have the sockets by which they talk."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from relight_assets.errors import ConfigError
from relight_assets.storage.folders import write_fault

LONGEST = 95
"""Bytes of the folder's path: a socket's has at most 107, and its name takes 12 with the slash."""
_ADDRESS = re.compile(r"[?#]|%[0-9A-Fa-f]{2}")
"""gRPC takes the path as a part of an address."""


def temporary_folder(environ: Mapping[str, str]) -> Path:
    """The folder that Python takes, found without writing into it.

    Raises:
        ConfigError: there is none that can be written.
    """
    named = [environ[name] for name in ("TMPDIR", "TEMP", "TMP") if environ.get(name)]
    for folder in map(Path, (*named, "/tmp", "/var/tmp", "/usr/tmp", ".")):  # noqa: S108  (Python's own list)
        if folder.is_dir() and write_fault(folder) is None:
            return folder.absolute()
    raise ConfigError("there is no folder for temporary files that can be written: set TMPDIR to one")


def check_sockets(environ: Mapping[str, str]) -> None:
    """See that Dagster's servers can have their sockets among the temporary files.

    Raises:
        ConfigError: they cannot; says what to set.
    """
    folder = str(temporary_folder(environ))
    if len(os.fsencode(folder)) > LONGEST:
        raise ConfigError(
            f"TMPDIR={folder} is too long for the sockets of Dagster's servers ({len(os.fsencode(folder))} bytes; at "
            f"most {LONGEST}): set TMPDIR to a shorter folder, such as /tmp"
        )
    if odd := _ADDRESS.search(folder):
        raise ConfigError(
            f"TMPDIR={folder} holds `{odd[0]}`, with which Dagster's servers do not find their sockets: set TMPDIR to "
            f"another folder, such as /tmp"
        )
