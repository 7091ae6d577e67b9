"""The user's cache folder, for files that can be fetched again."""

from contextlib import suppress
from pathlib import Path

import platformdirs


def user_cache() -> Path | None:
    """Our folder in the user's cache; None where the user has no home."""
    with suppress(RuntimeError):  # how platformdirs tells it; earlier versions give `~/.cache` as it is
        folder = platformdirs.user_cache_path("relight_assets")
        return folder if folder.is_absolute() else None
    return None
