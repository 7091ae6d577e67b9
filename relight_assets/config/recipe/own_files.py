"""The user's own shadow patterns and panoramas: which files a folder holds, and what is in them, by sha256.

Named by content, they are part of the recipe: another image under the same name redoes what it lit, and the folder
may move.  Nothing is decoded here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from relight_assets.config.recipe.families import OwnFile
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import sha256_hex
from relight_assets.core.regular_files import open_regular
from relight_assets.errors import ConfigError, PathRefusedError

MAX_FILES = 512
MAX_BYTES = 16 << 20
MAX_PANORAMA_BYTES = 64 << 20
"""A panorama of 4096 x 2048 pixels in Radiance HDR has 34 MB at most."""
HDR, LDR = frozenset({".hdr"}), frozenset({".png", ".jpg", ".jpeg"})
"""Names of panoramas: Radiance HDR, linear; and display images."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class _Kind:
    key: str
    """The recipe's, in messages."""
    suffixes: frozenset[str]
    max_bytes: int
    none: str
    """What the folder lacks where it has none of them."""
    many: str
    check: Callable[[bytes], str]
    """What is wrong with the first bytes of a file; empty where nothing is."""


def _no_png(data: bytes) -> str:
    return "" if data.startswith(_SIGNATURE) else "is no PNG, whatever its name says"


_GOBOS = _Kind(
    "`degradation.hard_shadow.gobo_dir`",
    frozenset({".png"}),
    MAX_BYTES,
    "there is no PNG in {folder}; each is a pattern, white lets light through",
    "PNGs",
    _no_png,
)
_PANORAMAS = _Kind(
    "`degradation.environment.environment_dir`",
    HDR | LDR,
    MAX_PANORAMA_BYTES,
    "there is no panorama in {folder}; each is a .hdr, .png or .jpg, twice as wide as it is high (OpenEXR is not read: "
    "convert it to .hdr)",
    "panoramas",
    lambda _data: "",
)


def with_own_files(recipe: Recipe, base: Path, origin: str) -> Recipe:
    """The recipe with the patterns and panoramas of its folders, which are relative to ``base``; as it is without.

    Raises:
        ConfigError: a folder cannot be read or holds none of them, too many, or one that is none or too large.
    """
    degradation = recipe.degradation
    hard, environment = degradation.hard_shadow, degradation.environment
    if hard.gobo_dir is not None and hard.kinds.custom > 0:
        hard = hard.with_gobos(*_found(hard.gobo_dir, base, origin, _GOBOS))
    if environment.environment_dir is not None and environment.weight > 0:
        environment = environment.with_panoramas(*_found(environment.environment_dir, base, origin, _PANORAMAS))
    if hard is degradation.hard_shadow and environment is degradation.environment:
        return recipe
    changed = degradation.model_copy(update={"hard_shadow": hard, "environment": environment})
    return recipe.model_copy(update={"degradation": changed})


def _found(name: str, base: Path, origin: str, kind: _Kind) -> tuple[Path, tuple[OwnFile, ...]]:
    try:
        folder = (base / Path(name).expanduser()).absolute()
    except RuntimeError:
        raise ConfigError(f"{origin}: {kind.key}: {name} names the home of a user that is not known here") from None
    try:
        named = (
            path for path in folder.iterdir() if path.suffix.lower() in kind.suffixes and not path.name.startswith(".")
        )
        files = sorted(islice(named, MAX_FILES + 1))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{origin}: {kind.key}: {folder} cannot be read: {reason}") from None
    if not files:
        raise ConfigError(f"{origin}: {kind.key}: {kind.none.format(folder=folder)}")
    if len(files) > MAX_FILES:
        raise ConfigError(f"{origin}: {kind.key}: more {kind.many} in {folder} than the {MAX_FILES} that are taken")
    return folder, tuple(OwnFile(path.name, _sha256(path, origin, kind)) for path in files)


def _sha256(path: Path, origin: str, kind: _Kind) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(kind.max_bytes + 1)
    except OSError as error:
        raise ConfigError(f"{origin}: {kind.key}: {path} cannot be read: {error.strerror}") from None
    except PathRefusedError as error:
        raise ConfigError(f"{origin}: {kind.key}: {path.parent}: {error}") from None
    if len(data) > kind.max_bytes:
        raise ConfigError(f"{origin}: {kind.key}: {path} is larger than the {kind.max_bytes >> 20} MiB that are taken")
    if wrong := kind.check(data):
        raise ConfigError(f"{origin}: {kind.key}: {path} {wrong}")
    return sha256_hex(data)
