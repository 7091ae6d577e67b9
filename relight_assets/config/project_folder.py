"""Where a project's configuration is.

The project is the nearest folder at or above the working directory that holds ``config/platform.yaml`` or
``config/mvp_config.yaml``; failing that, the checkout this package is imported from, if it is imported from one.
``--platform`` or ``RELIGHT_PLATFORM`` names another settings file, and, where that lies in a folder ``config``, the
project above it, with its recipe: a command gives the same from every working directory.  ``RELIGHT_CONFIG`` names
another recipe.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from relight_assets.config.parsing.yaml_reader import odd_character
from relight_assets.config.variables import PLATFORM, RECIPE
from relight_assets.errors import ConfigError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
CONFIG = "config"
"""The folder of a project's settings and recipe."""
_MAX_PATH = 4096
"""Bytes of a path, the closing zero included: Linux's PATH_MAX."""


def project_folder(environ: Mapping[str, str], option: Path | None = None) -> Path:
    """The project's folder, the one that holds ``config/``; the working directory when there is none.

    Raises:
        ConfigError: see :func:`platform_file`.
    """
    named = _named_platform(environ, option)
    if named is not None and named.parent.name == CONFIG:
        return named.parent.parent.resolve()
    here = working_folder().resolve()
    for folder in (here, *here.parents, *_checkout()):
        # Whatever is there: a pipe, a link to nothing or a closed folder is reported, and not passed over.
        if any(is_there(folder / CONFIG / name) for name in ("platform.yaml", "mvp_config.yaml")):
            return folder
    return here


def _checkout() -> list[Path]:
    """The checkout that this package is imported from; none where it was installed from a wheel."""
    folder = Path(__file__).resolve().parents[2]  # of a wheel: site-packages, where a `config` is somebody else's
    try:
        project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [folder] if 'name = "relight_assets"' in project else []


def working_folder() -> Path:
    """The working directory.

    Raises:
        ConfigError: it is gone.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(
            "the working directory is gone, removed or unmounted: change to another, such as the project's"
        ) from None


def platform_file(environ: Mapping[str, str], option: Path | None = None) -> Path:
    """The settings file: the one that an option names, that of RELIGHT_PLATFORM, or the project's.

    Raises:
        ConfigError: what is given is no path.
    """
    return _named_platform(environ, option) or project_folder(environ) / CONFIG / "platform.yaml"


def recipe_file(environ: Mapping[str, str], platform: Path | None = None) -> Path:
    """The recipe file: RELIGHT_CONFIG, or the project's; ``platform`` is the settings file that an option names.

    Raises:
        ConfigError: a variable or the option holds no path.
    """
    return _named_by(RECIPE, environ) or project_folder(environ, platform) / CONFIG / "mvp_config.yaml"


def _named_platform(environ: Mapping[str, str], option: Path | None) -> Path | None:
    return _path(str(option.absolute()), "--platform") if option is not None else _named_by(PLATFORM, environ)


def _named_by(variable: str, environ: Mapping[str, str]) -> Path | None:
    text = environ.get(variable, "")
    return _path(text, variable) if text else None


def _path(text: str, origin: str) -> Path:
    if _ADDRESS.match(text):
        raise ConfigError(
            f"{origin}: must be a file of this machine, and no address (URL); what was found is not shown"
        )
    if (odd := odd_character(text)) is not None:
        raise ConfigError(f"{origin}: holds {odd}")
    if len(os.fsencode(text)) >= _MAX_PATH:
        raise ConfigError(f"{origin}: is longer than a path can be ({_MAX_PATH - 1} bytes)")
    return Path(text) if Path(text).is_absolute() else working_folder() / text


def is_there(file: Path) -> bool:
    """Whether there is something in a file's place, which is then read, or reported as unreadable."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
