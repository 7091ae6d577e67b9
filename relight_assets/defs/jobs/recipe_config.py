"""The recipe as run config: every value of it may be given in the launchpad, typed and described."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import dagster as dg
from pydantic.fields import FieldInfo

from relight_assets.config.parsing.descriptions import descriptions
from relight_assets.config.quality import Quality
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.recipe.types import Part


def recipe_overrides() -> dg.Field:
    """A field that takes any part of a recipe; what is left out stays as the recipe file has it."""
    return dg.Field(
        _shape(Recipe),
        is_required=False,
        default_value={},
        description="Values that replace those of config/mvp_config.yaml, under the same keys.",
    )


def quality_overrides() -> dg.Field:
    """A field that takes thresholds for an experiment's images; what is left out stays as the platform has it."""
    return dg.Field(
        _shape(Quality),
        is_required=False,
        default_value={},
        description="Thresholds that replace those in the section `quality` of config/platform.yaml; no pixel changes.",
    )


def overridden(recipe: Recipe, overrides: dict[str, Any]) -> dict[str, Any]:
    """A recipe in the spelling of its file, with some values replaced; lists are replaced whole."""
    return _merged(recipe.model_dump(mode="json"), overrides)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = base | over
    return both | {
        key: _merged(base[key], over[key])
        for key in over
        if isinstance(over[key], dict) and isinstance(base.get(key), dict)
    }


def _shape(part: type[Part]) -> dg.Shape:
    texts = descriptions(part)
    fields = {
        name: _field(f"{part.__name__}_{name}", info, texts.get(name)) for name, info in part.model_fields.items()
    }
    return dg.Shape(fields)  # type: ignore[no-untyped-call]


def _field(name: str, info: FieldInfo, text: str | None) -> dg.Field:
    section = isinstance(info.annotation, type) and issubclass(info.annotation, Part)
    # `python -OO` has no docstrings.
    title = (info.annotation.__doc__ or "").partition("\n")[0] or None if section else None
    described = text or info.description or title
    return dg.Field(_config_type(name, info.annotation), is_required=False, description=described)


def _config_type(name: str, annotation: Any) -> Any:
    """The type of run config that stands for a field's type."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return _shape(annotation)
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        # Dagster takes types of one name for the same, and remembers those that it has seen.
        return dg.Enum("_".join([name, *map(str, inside)]), [dg.EnumValue(choice) for choice in inside])
    if origin is tuple:
        return dg.Array(_config_type(name, inside[0]))
    if origin in (Union, types.UnionType):
        (some,) = (kind for kind in inside if kind is not type(None))
        return dg.Noneable(_config_type(name, some))
    return annotation
