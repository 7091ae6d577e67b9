"""Strict checks of what a file or a variable holds; messages name the key, what was found and what is allowed."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from relight_assets.config.parsing.examples import example_of
from relight_assets.config.parsing.yaml_reader import Number, WholeNumber, hide_address, odd_character
from relight_assets.config.parsing.yaml_reader import shown as shown_text
from relight_assets.errors import ConfigError

HIDDEN_FAULT = "hidden"
"""The type of a fault whose input no message shows."""
MAX_FAULTS = 20
"""Mistakes that are listed; the others are counted."""
_NUMBER = re.compile(r"\[\d+\]")
"""Of an entry of a list, in a key."""
ModelT = TypeVar("ModelT", bound=BaseModel)


def validate(model: type[ModelT], data: Mapping[str, Any], origin: str) -> ModelT:
    """Check ``data`` strictly (no text for numbers) against a model.

    Raises:
        ConfigError: one line per fault, each with file, key, what was found and what is allowed; the first few.
    """
    try:
        # By way of JSON: pydantic's strict mode then takes lists for tuples and integers for floats, no more.
        return model.model_validate_json(_as_json(data, origin), strict=True)
    except ValidationError as error:
        known = sorted(_known_keys(model))
        faults = [*_told_apart(error.errors(include_url=False))]
        lines = [_fault(fault, known, model, data) for fault in faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            lines.append(f"and {len(faults) - MAX_FAULTS} more mistakes")
        raise ConfigError("\n".join(f"{origin}: {line}" for line in lines)) from None


def _told_apart(faults: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The faults without those that follow from others: a list is not too short because its entries are wrong."""
    places = [fault["loc"] for fault in faults]
    for fault in faults:
        depth = len(fault["loc"])
        follows = any(len(place) > depth and place[:depth] == fault["loc"] for place in places)
        if fault["type"] != "too_short" or not follows:
            yield fault


def _as_json(data: Mapping[str, Any], origin: str) -> str:
    try:
        text = json.dumps(data, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):  # a number of thousands of digits, or what holds itself
        raise ConfigError(f"{origin}: a value in it is no plain data, or too large") from None
    if (odd := odd_character(text)) is not None:
        raise ConfigError(f"{origin}: a text in it holds {odd}")
    return text


_PLAIN_WORDS = {
    "missing": "a value is missing here",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "string_too_short": "must be longer",
    "tuple_type": "must be a list",
    "model_type": "must be a section of `key: value` lines",
    "model_attributes_type": "must be a section of `key: value` lines",
    "too_long": "has too many values",
    "too_short": "has too few values",
}
_WITHOUT_EXAMPLE = {"bool_type"}
_PATTERNS = {r"\S": "must not be empty", "^[0-9a-f]{64}$": "must be a sha256: 64 digits, of 0 to 9 and a to f"}
_BOOLEANS = {True: "`yes` and `on`", False: "`no` and `off`"}
"""What YAML reads as true and false, too."""


def _fault(fault: Mapping[str, Any], known: list[str], model: type[BaseModel], data: Mapping[str, Any]) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{shown_text(part)}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        return f"unknown key `{key}`{nearest_key(key, known)}"
    rule = _PLAIN_WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        rule = _PATTERNS.get(fault["ctx"]["pattern"], rule)
    rule = rule.replace("Input should be", "must be")
    wants_example = fault["type"] in _PLAIN_WORDS and fault["type"] not in _WITHOUT_EXAMPLE
    if wants_example and (example := example_of(model, fault["loc"])) is not None:
        rule += f", such as {example}"
    # A rule over a whole section names its values itself; the section in full would drown it.
    over_section = fault["type"] == "value_error" and isinstance(fault["input"], dict)
    hidden = over_section or fault["type"] in {HIDDEN_FAULT, "missing"}
    found = "" if hidden else f"found {_found(fault, data)}; "
    return f"`{key}`: {found}{rule}" if key else f"{found}{rule}"


def _found(fault: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What stands there, as it is written there."""
    value: Any = data
    for part in fault["loc"]:
        try:
            value = value[part]
        except (LookupError, TypeError):  # a part that no file has, such as the name of a kind
            return _shown(fault["input"])
    if isinstance(value, WholeNumber | Number):
        return f"{shown_text(value.written)}, which YAML reads as {value!r}"
    if isinstance(value, bool):
        return f"{_shown(value)}, which YAML reads from {_BOOLEANS[value]} too"
    return _shown(fault["input"])


def nearest_key(key: str, known: list[str]) -> str:
    """What to say after an unknown key, dotted: the known one that it resembles, or those that are allowed there."""
    parent, _, name = _NUMBER.sub("[]", key).rpartition(".")
    siblings = [k for k in known if k.rpartition(".")[0] == parent]
    by_name = {k.rpartition(".")[2]: k for k in [*known, *siblings]}
    close = difflib.get_close_matches(name, by_name, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{by_name[close[0]]}`?"
    allowed = ", ".join(f"`{k.rpartition('.')[2]}`" for k in siblings)
    return f"; allowed here: {allowed}" if allowed else ""


def _known_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _known_keys(field.annotation, f"{prefix}{name}.")
        for each in get_args(field.annotation):  # a list of sections
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from _known_keys(each, f"{prefix}{name}[].")


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value, default=str)
    if hide_address(text) != text:
        return "an address, which is not shown"
    return text if len(text) <= 80 else f"{text[:77]}..."
