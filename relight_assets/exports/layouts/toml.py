"""Texts in TOML."""

import json
from pathlib import Path


def quoted(value: str | Path) -> str:
    """A basic string of TOML: JSON's escapes are among TOML's."""
    return json.dumps(str(value), ensure_ascii=False)
