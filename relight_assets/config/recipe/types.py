"""What the sections of a recipe are made of: a frozen, closed model, and numbers within bounds."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Interval = tuple[float, float]


def number(low: float, high: float) -> FieldInfo:
    """A number from ``low`` to ``high``."""
    info: FieldInfo = Field(ge=low, le=high, allow_inf_nan=False)
    return info


def ends(low: float, high: float) -> AfterValidator:
    """Both ends within ``low..high``, and in order."""

    def check(value: Interval) -> Interval:
        if not all(low <= end <= high for end in value):  # false for NaN too
            raise ValueError(f"both ends must be from {low:g} to {high:g}")
        if value[0] > value[1]:
            raise ValueError("the first number must not be larger than the second")
        return value

    return AfterValidator(check)


class Part(BaseModel):
    """A section of the recipe: frozen, and closed to keys it does not know.

    A text below a field describes it in the UI (:mod:`relight_assets.config.parsing.descriptions`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


Unit = Annotated[float, number(0, 1)]
Weight = Annotated[float, number(0, 1e6)]
Strength = Annotated[float, number(0, 4)]
UnitRange = Annotated[Interval, ends(0, 1)]
ElevationRange = Annotated[Interval, ends(0, 90)]
KelvinRange = Annotated[Interval, ends(1667, 25000)]
Byte = Annotated[int, Field(ge=0, le=255, strict=True)]
