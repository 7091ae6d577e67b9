"""Paths as options and arguments: an address (URL) is refused as it was typed, before a path is made of it."""

import os
import re
from pathlib import Path
from typing import Any

import click

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class LocalPath(click.Path):
    """A file or folder of this machine.

    A path made of `https://host//file` reads `https:/host/file`, and is looked for in the working directory.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; fails for an address."""
        if isinstance(value, str) and _ADDRESS.match(value) and not os.path.lexists(value):
            self.fail(f"{value} is an address (URL); give a file or folder of this machine", param, ctx)
        return super().convert(value, param, ctx)


LOCAL_PATH: click.Path = LocalPath(path_type=Path)
