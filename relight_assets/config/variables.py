"""The variables ``RELIGHT_...`` of the environment: ``RELIGHT_<KEY>`` replaces one key of the settings file."""

import difflib
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from pydantic import BaseModel

from relight_assets.config.parsing.yaml_reader import odd_character, parse_yaml, shown
from relight_assets.config.settings import PATH_KEYS, SHA256_KEYS, Settings
from relight_assets.errors import ConfigError

PREFIX = "RELIGHT_"
PLATFORM = "RELIGHT_PLATFORM"
"""Names another settings file than the project's."""
RECIPE = "RELIGHT_CONFIG"
"""Names another recipe file than the project's."""
_TEXTS = frozenset(
    {*PATH_KEYS, *SHA256_KEYS, "csv_glob", "licence_column", "sweep_cron", "alert_webhook", "ray.address"}
)
"""Keys whose values are text, whatever YAML would make of it."""
_OF_A_SERVICE = re.compile(
    rf"{PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)
"""Variables that Kubernetes sets in every pod for a service of the name ``relight`` or ``relight-...``."""


def setting_keys() -> list[str]:
    """All keys of a settings file, those of a section dotted."""
    sections = {
        key: kind
        for key, field in Settings.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
    }
    return [
        f"{key}.{below}" if section else key
        for key in Settings.model_fields
        for section in (sections.get(key),)
        for below in (section.model_fields if section else [""])
    ]


def variable_of(key: str) -> str:
    """The variable that replaces a key."""
    return f"{PREFIX}{key.replace('.', '_').upper()}"


def settings_from(environ: Mapping[str, str]) -> dict[str, Any]:
    """The keys that the environment overrides, those of a section dotted."""
    found: dict[str, Any] = {}
    for key in setting_keys():
        text = environ.get(variable_of(key))
        if text is None or text == "":
            continue
        if key != "alert_webhook" and (odd := odd_character(text)) is not None:
            raise ConfigError(f"{variable_of(key)}: holds {odd}")
        if key in _TEXTS:
            found[key] = None if text == "null" else text
            continue
        found[key] = parse_yaml(text, variable_of(key))
    return found


def drop_unknown_variables(environ: MutableMapping[str, str]) -> list[str]:
    """Remove the variables ``RELIGHT_...`` that are no settings, so that they are reported once.

    Returns:
        A sentence for each, and one for all that Kubernetes sets.
    """
    known = {PLATFORM, RECIPE, *map(variable_of, setting_keys())}
    others = [name for name in sorted(environ) if name.startswith(PREFIX) and name not in known]
    values = {name: environ.pop(name) for name in others}
    of_services = [name for name in others if _is_of_a_service(name, values[name])]
    notices = [
        f"{shown(name)}: no such setting, so it does nothing" + (f"; did you mean {close[0]}?" if close else "")
        for name in others
        if name not in of_services
        for close in (difflib.get_close_matches(name, known, n=1),)
    ]
    if of_services:
        notices.append(
            f"{', '.join(map(shown, of_services))}: no settings, so they do nothing; Kubernetes sets them for a "
            "service whose name begins with `relight`, unless the pod has `enableServiceLinks: false`"
        )
    return notices


def _is_of_a_service(name: str, value: str) -> bool:
    plain = name.endswith("_PORT") and not name.endswith(("_SERVICE_PORT", "_TCP_PORT", "_UDP_PORT", "_SCTP_PORT"))
    return _OF_A_SERVICE.fullmatch(name) is not None and (not plain or "://" in value)
