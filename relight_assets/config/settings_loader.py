"""Reading the settings: ``config/platform.yaml`` with the environment over it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relight_assets.config.parsing.validation import validate
from relight_assets.config.parsing.yaml_reader import odd_character, printable, read_yaml_mapping
from relight_assets.config.project_folder import CONFIG, is_there, platform_file, working_folder
from relight_assets.config.settings import PATH_KEYS, Settings
from relight_assets.config.variables import PLATFORM, setting_keys, settings_from, variable_of
from relight_assets.errors import ConfigError

_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:/")


def load_settings(environ: Mapping[str, str], platform: Path | None = None) -> Settings:
    """Read the settings file, if there is one, and the environment over it; ``platform`` names another file.

    Relative paths in the file are relative to its folder, or to that folder's parent where it is called
    ``config``; in the environment, to the working directory.

    Raises:
        ConfigError: names the file or variable, the key, what was found and what is allowed.
    """
    file = platform_file(environ, platform)
    is_named = platform is not None or PLATFORM in environ
    return _settings(file, read_yaml_mapping(file) if is_named or is_there(file) else {}, environ)


def settings_of(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read one settings file, and the environment over it; None: all defaults.

    Raises:
        ConfigError: see :func:`load_settings`.
    """
    if file is None:
        return _settings(working_folder() / "defaults", {}, environ)
    return _settings(file, read_yaml_mapping(file), environ)


def _settings(file: Path, data: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    base = file.parent.parent if file.parent.name == CONFIG else file.parent
    if (odd := odd_character(str(base))) is not None:
        raise ConfigError(
            f"the folder {ascii(str(base))[1:-1]} has a name with {odd}, in which no project can lie: rename it"
        )
    origin = printable(file)
    validate(Settings, data, origin)
    _refuse_addresses(data, origin)
    placed = _absolute(_merged(_defaults(), data), base)
    for key, value in settings_from(environ).items():
        origin = variable_of(key)
        placed = _merged(placed, _absolute(_nested(key, value), working_folder()))
        validate(Settings, _nested(key, value), origin)
        _refuse_addresses(_nested(key, value), origin)
    return validate(Settings, placed, origin)


def _refuse_addresses(data: Mapping[str, Any], origin: str) -> None:
    """Only the webhook is a URL.  One that stands at another key would be shown wherever that is used."""
    for key in setting_keys():
        section, _, below = key.partition(".")
        held = data.get(section)
        value = held.get(below) if below and isinstance(held, dict) else held
        if key != "alert_webhook" and isinstance(value, str) and _ADDRESS.match(value):
            raise ConfigError(f"{origin}: `{key}`: must be no address (URL); what was found is not shown")


def _defaults() -> dict[str, Any]:
    return Settings().model_dump(mode="json")


def _nested(key: str, value: Any) -> dict[str, Any]:
    section, _, below = key.partition(".")
    return {section: {below: value}} if below else {section: value}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {**base, **over}
    return both | {
        k: {**base[k], **over[k]} for k in over if isinstance(over[k], dict) and isinstance(base.get(k), dict)
    }


def _absolute(data: Mapping[str, Any], base: Path) -> dict[str, Any]:
    placed = dict(data)
    for key in PATH_KEYS:
        section, _, below = key.partition(".")
        holder = placed.get(section) if below else placed
        name = below or section
        if not isinstance(holder, dict) or holder.get(name) is None:
            continue
        try:
            path = str((base / Path(holder[name]).expanduser()).absolute())
        except RuntimeError:
            raise ConfigError(f"`{key}`: {holder[name]} names the home of a user that is not known here") from None
        placed = _merged(placed, _nested(key, path))
    return placed
