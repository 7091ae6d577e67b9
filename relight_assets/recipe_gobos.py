"""The user's own shadow patterns: which files a folder holds, and what is in them, by sha256.

Named by content, they are part of the recipe: another picture under the same name redoes what it lit, and the folder
may move.  Nothing is decoded here.
"""

import hashlib
from pathlib import Path

from relight_assets.errors import ConfigError
from relight_assets.recipe import Recipe
from relight_assets.recipe_lights import Gobo

MAX_FILES = 512
MAX_BYTES = 16 << 20
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEY = "`degradation.hard_shadow.gobo_dir`"


def with_gobos(recipe: Recipe, base: Path, origin: str) -> Recipe:
    """The recipe with the patterns of its ``gobo_dir``, which is relative to ``base``; as it is where it uses none.

    Raises:
        ConfigError: the folder cannot be read or holds no PNG, too many, or one that is none or too large.
    """
    hard = recipe.degradation.hard_shadow
    if hard.gobo_dir is None or hard.kinds.custom == 0:
        return recipe
    folder = (base / Path(hard.gobo_dir).expanduser()).absolute()
    hard = hard.with_gobos(folder, _found(folder, origin))
    return recipe.model_copy(update={"degradation": recipe.degradation.model_copy(update={"hard_shadow": hard})})


def _found(folder: Path, origin: str) -> tuple[Gobo, ...]:
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() == ".png" and not path.name.startswith(".")
        )
    except OSError as error:
        raise ConfigError(f"{origin}: {_KEY}: {folder} cannot be read: {error.strerror}") from None
    if not files:
        raise ConfigError(f"{origin}: {_KEY}: there is no PNG in {folder}; each is a pattern, white lets light through")
    if len(files) > MAX_FILES:
        raise ConfigError(f"{origin}: {_KEY}: {len(files)} PNGs in {folder}; at most {MAX_FILES} are taken")
    return tuple(Gobo(path.name, _sha256(path, origin)) for path in files)


def _sha256(path: Path, origin: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{origin}: {_KEY}: {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{origin}: {_KEY}: {path} is larger than the {MAX_BYTES >> 20} MiB that are taken")
    if not data.startswith(_SIGNATURE):
        raise ConfigError(f"{origin}: {_KEY}: {path} is no PNG, whatever its name says")
    return hashlib.sha256(data).hexdigest()
