"""The user's own shadow patterns: which files a folder holds, and what is in them, by sha256.

Named by content, they are part of the recipe: another image under the same name redoes what it lit, and the folder
may move.  Nothing is decoded here.
"""

from itertools import islice
from pathlib import Path

from relight_assets.config.recipe.families import Gobo
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import open_regular
from relight_assets.errors import ConfigError, PathRefusedError

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
    try:
        folder = (base / Path(hard.gobo_dir).expanduser()).absolute()
    except RuntimeError:
        raise ConfigError(
            f"{origin}: {_KEY}: {hard.gobo_dir} names the home of a user that is not known here"
        ) from None
    hard = hard.with_gobos(folder, _found(folder, origin))
    return recipe.model_copy(update={"degradation": recipe.degradation.model_copy(update={"hard_shadow": hard})})


def _found(folder: Path, origin: str) -> tuple[Gobo, ...]:
    try:
        named = (path for path in folder.iterdir() if path.suffix.lower() == ".png" and not path.name.startswith("."))
        files = sorted(islice(named, MAX_FILES + 1))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{origin}: {_KEY}: {folder} cannot be read: {reason}") from None
    if not files:
        raise ConfigError(f"{origin}: {_KEY}: there is no PNG in {folder}; each is a pattern, white lets light through")
    if len(files) > MAX_FILES:
        raise ConfigError(f"{origin}: {_KEY}: more PNGs in {folder} than the {MAX_FILES} that are taken")
    return tuple(Gobo(path.name, _sha256(path, origin)) for path in files)


def _sha256(path: Path, origin: str) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{origin}: {_KEY}: {path} cannot be read: {error.strerror}") from None
    except PathRefusedError as error:
        raise ConfigError(f"{origin}: {_KEY}: {path.parent}: {error}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{origin}: {_KEY}: {path} is larger than the {MAX_BYTES >> 20} MiB that are taken")
    if not data.startswith(_SIGNATURE):
        raise ConfigError(f"{origin}: {_KEY}: {path} is no PNG, whatever its name says")
    return sha256_hex(data)
