"""Strict checks of what a file or a variable holds; messages name the key, what was found and what is allowed."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from relight_assets.config.yaml_reader import hide_address, odd_character
from relight_assets.config.yaml_reader import shown as shown_text
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
        lines = [_fault(fault, known, model) for fault in faults[:MAX_FAULTS]]
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
    "tuple_type": "must be a list",
    "model_type": "must be a section of `key: value` lines",
    "model_attributes_type": "must be a section of `key: value` lines",
    "too_long": "has too many values",
    "too_short": "has too few values",
}


_WITH_EXAMPLE = ("int_type", "float_type", "tuple_type")


def _fault(fault: Mapping[str, Any], known: list[str], model: type[BaseModel]) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{shown_text(part)}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        return f"unknown key `{key}`{nearest_key(key, known)}"
    rule = _PLAIN_WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch" and fault["ctx"]["pattern"] == r"\S":
        rule = "must not be empty"
    rule = rule.replace("Input should be", "must be")
    if fault["type"] in _WITH_EXAMPLE and (default := _default(model, fault["loc"])) is not None:
        rule += f", such as {json.dumps(default)}"
    # A rule over a whole section names its values itself; the section in full would drown it.
    over_section = fault["type"] == "value_error" and isinstance(fault["input"], dict)
    found = "" if over_section or fault["type"] == HIDDEN_FAULT else f"found {_shown(fault['input'])}; "
    return f"`{key}`: {found}{rule}" if key else f"{found}{rule}"


def _default(model: type[BaseModel], place: Sequence[int | str]) -> Any:
    """The default of a key, as the example of what it takes; None where there is none."""
    for name in place[:-1]:
        field = model.model_fields.get(str(name))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return None
        model = field.annotation
    field = model.model_fields.get(str(place[-1])) if place else None
    default = field.get_default(call_default_factory=True) if field is not None else None
    return default if isinstance(default, int | float | tuple) else None


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
