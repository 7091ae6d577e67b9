"""Which pictures a recipe makes of each photo: its lights, their mixes with the photo, and lights without a pattern."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from relight_assets.config.recipe.types import Unit

MAX_VARIANTS = 256
"""Of one photo: a record lists them all, and is read whenever a run is planned."""
Kind = Literal["light", "mix", "no_gobo"]


def _ascending(amounts: tuple[float, ...]) -> tuple[float, ...]:
    if any(one >= other for one, other in pairwise(amounts)):
        raise ValueError("the amounts must ascend, each once, as in [0, 0.25, 0.5, 0.75, 1]")
    return amounts


Ladder = Annotated[tuple[Unit, ...], Field(max_length=32), AfterValidator(_ascending)]


@dataclass(frozen=True)
class PlannedVariant:
    """One picture of each photo."""

    kind: Kind
    """A drawn light, its mix with the photo, or the same light without its pattern."""
    light: int
    """Number of the drawn light, from 0."""
    amount: float = 1.0
    """Share of the light in it, linear; the rest is the photo."""


def planned(lights: int, ladder: tuple[float, ...], *, no_gobo: bool) -> tuple[PlannedVariant, ...]:
    """The variants of each photo, in the order of their numbers: lights, then mixes, then lights without a pattern.

    The amount 1 of a ladder is the light itself, so it adds no variant; 0 is the photo, so it adds one for all lights.
    """
    return tuple(_planned(lights, ladder, no_gobo))


def _planned(lights: int, ladder: tuple[float, ...], no_gobo: bool) -> Iterator[PlannedVariant]:  # noqa: FBT001
    for light in range(lights):
        yield PlannedVariant("light", light)
    for light in range(lights):
        mixes = (amount for amount in ladder if amount < 1 and (amount > 0 or light == 0))
        yield from (PlannedVariant("mix", light, amount) for amount in mixes)
    if no_gobo:
        yield from (PlannedVariant("no_gobo", light) for light in range(lights))
