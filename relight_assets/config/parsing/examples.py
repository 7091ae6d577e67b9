"""What a key takes, by an example: its default, or what its model gives as example where the default shows nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def example_of(model: type[BaseModel], place: Sequence[int | str]) -> str | None:
    """A value for a key, as a file has it on one line; None where there is no good one.

    Args:
        model: of the file or section.
        place: the names and numbers of entries that lead to the key.
    """
    value = _value(model, place)
    if value is None:
        return None
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _value(model: type[BaseModel], place: Sequence[int | str]) -> Any:
    field: FieldInfo | None = None
    example: Any = None
    for part in place:
        if isinstance(part, int):
            below = _model_in(field)
            example = example[min(part, len(example) - 1)] if isinstance(example, list) and example else None
            example = _section(below) if example is None and below is not None else example
            model, field = below or model, None
            continue
        field = model.model_fields.get(part)
        if field is None:
            return None
        example = _of_field(field)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return example


def _of_field(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return _section(field.annotation)
    default = field.get_default(call_default_factory=True)
    return (
        _plain(default) if isinstance(default, str | int | float | tuple | Path) and default not in ("", ()) else None
    )


def _section(model: type[BaseModel]) -> dict[str, Any] | None:
    """The keys that a section must have, or the first that shows a value."""
    values = {name: _of_field(field) for name, field in model.model_fields.items()}
    needed = {name: values[name] for name, field in model.model_fields.items() if field.is_required()}
    if needed:
        return needed if None not in needed.values() else None
    return next(({name: value} for name, value in values.items() if value is not None), None)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _model_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model of the entries of a list."""
    inside = get_args(field.annotation) if field is not None else ()
    return next((each for each in inside if isinstance(each, type) and issubclass(each, BaseModel)), None)
