"""The numbers that a stage records: their names, types, units and ranges, and whether they may be null."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

UNIT_TOLERANCE = 1e-3
"""By which the length of a unit vector may differ from 1."""


@dataclass(frozen=True)
class Kind:
    """What a value must be: as msgspec checks it, in words, and as JSON Schema.  An object has ``parts``."""

    type: Any
    words: str | Callable[[], str]
    form: dict[str, Any] | Callable[[], dict[str, Any]] = field(compare=False)
    parts: tuple["Metric", ...] = ()

    @property
    def text(self) -> str:
        """In words."""
        return self.words if isinstance(self.words, str) else self.words()

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return self.form if isinstance(self.form, dict) else self.form()


@dataclass(frozen=True)
class Metric:
    """One number of a record."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    null: bool = False
    """Whether it may be null: there was nothing to measure."""
    required: bool = False
    """Whether every record has it, whatever was drawn."""


class UnitVector(tuple[float, ...]):
    """Three finite numbers, of length 1 within ``UNIT_TOLERANCE``."""

    __slots__ = ()


def number(low: float, high: float) -> Kind:
    """A finite number within bounds, both included."""
    # Bounds refuse what is not finite, too.
    schema = {"type": "number", "minimum": low, "maximum": high}
    return Kind(Annotated[float, Meta(ge=low, le=high)], f"number, {low:g} to {high:g}", schema)


def whole(low: int, high: int) -> Kind:
    """A whole number within bounds, both included."""
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Kind(Annotated[int, Meta(ge=low, le=high)], f"whole number, {low} to {high}", schema)


def one_of(*names: str) -> Kind:
    """One of some words."""
    return Kind(Literal[names], _listed(names), {"enum": list(names)})


def _listed(names: Sequence[str]) -> str:
    return "one of " + ", ".join(f"`{name}`" for name in names)


class RegisteredName(str):
    """One of the names that are registered when it is checked."""

    __slots__ = ()
    names: ClassVar[Callable[[], tuple[str, ...]]]
    """Those there are; called whenever a value is checked."""


def registered_name(names: Callable[[], tuple[str, ...]]) -> Kind:
    """A name out of a registry; ``names`` gives those there are."""
    kind = type("RegisteredName", (RegisteredName,), {"__slots__": (), "names": staticmethod(names)})
    return Kind(kind, lambda: _listed(names()), lambda: {"enum": list(names())})


def list_of(each: Kind, least: int, most: int) -> Kind:
    """A list of ``least`` to ``most`` values of a kind."""
    count = f"{least}" if least == most else f"{least} to {most}"
    values = Annotated[list[each.type], Meta(min_length=least, max_length=most)]  # type: ignore[name-defined]
    schema = {"type": "array", "items": each.schema, "minItems": least, "maxItems": most}
    return Kind(values, f"list of {count}: {each.text}", schema)


def object_of(name: str, parts: Sequence[Metric]) -> Kind:
    """An object of metrics."""
    return Kind(struct_of(name, parts), "object", schema_of(parts), tuple(parts))


def struct_of(name: str, parts: Sequence[Metric]) -> type[msgspec.Struct]:
    """The type by which msgspec checks an object of metrics: unknown names are refused, required ones demanded."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    # In the order of records, in which msgspec finds them soonest.
    for part in sorted(parts, key=lambda each: each.name):
        held = part.kind.type | None if part.null else part.kind.type
        fields.append((part.name, held) if part.required else (part.name, held | UnsetType, UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, gc=False, forbid_unknown_fields=True)


def schema_of(parts: Sequence[Metric]) -> dict[str, Any]:
    """The JSON Schema of an object of metrics, each with its meaning, and its unit as `unit`."""
    return {
        "type": "object",
        "properties": {part.name: _described(part) for part in parts},
        "required": [part.name for part in parts if part.required],
        "additionalProperties": False,
    }


def _described(part: Metric) -> dict[str, Any]:
    value = {"anyOf": [part.kind.schema, {"type": "null"}]} if part.null else part.kind.schema
    return {**value, "description": part.meaning, **({"unit": part.unit} if part.unit else {})}


SHARE, FLAG, TEXT = (
    number(0, 1),
    Kind(bool, "true or false", {"type": "boolean"}),
    Kind(str, "text", {"type": "string"}),
)
PIXELS, COUNT, KELVIN = number(0, 1e6), whole(0, 10_000), number(1667, 25_000)
RATIO, SIGNED = number(0, 1e9), number(-1, 1)
HEX = Kind(
    Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")],
    "64 hexadecimal digits",
    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
)
_COMPONENTS = {"type": "array", "items": number(-1.001, 1.001).schema, "minItems": 3, "maxItems": 3}
UNIT_VECTOR = Kind(UnitVector, "unit vector: x right, y down, z to the camera", _COMPONENTS)
