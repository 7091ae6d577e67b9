"""The sha256 of large files, each read once and then remembered in the user's cache."""

import json
from contextlib import suppress
from pathlib import Path

from relight_assets.core.atomic_io import write_atomic
from relight_assets.core.hashing import file_sha256
from relight_assets.errors import ModelFileError
from relight_assets.models.user_cache import user_cache


def remembered_sha256(file: Path) -> str:
    """The sha256 of a file, read once and then remembered in the user's cache with size and token.

    Raises:
        ModelFileError: the file cannot be read.
    """
    key = str(file.absolute())
    try:
        status = file.stat()
        stamp = [status.st_size, f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_ino}"]
        known = _remembered()
        entry = known.get(key)
        if isinstance(entry, list) and entry[:2] == stamp:
            return str(entry[2])
        digest = file_sha256(file)
    except OSError as error:
        raise ModelFileError(f"the weights {file} cannot be read: {error.strerror}") from error
    _remember({**known, key: [*stamp, digest]})
    return digest


def check_sha256(file: Path, wanted: str | None, key: str = "sam3.sha256") -> None:
    """See that a file is the one that a key of config/platform.yaml wants; None wants nothing.

    Raises:
        ModelFileError: it is another, or cannot be read.
    """
    if wanted is not None and (found := remembered_sha256(file)) != wanted:
        raise ModelFileError(
            f"the weights {file} have sha256 {found}, but {key} wants {wanted}; download them again, or correct {key}"
        )


def _cache() -> Path | None:
    folder = user_cache()
    return folder / "weights.json" if folder is not None else None


def _remembered() -> dict[str, object]:
    cache = _cache()
    if cache is None:
        return {}
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(known: dict[str, object]) -> None:
    # Where it cannot be written the weights are simply read again.
    cache = _cache()
    if cache is None:
        return
    with suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(cache, json.dumps(known).encode())
