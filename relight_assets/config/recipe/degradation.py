"""The recipe's section ``degradation``: the light families, how often each is drawn, and how they are mixed."""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any

from pydantic import model_validator
from pydantic.fields import FieldInfo

from relight_assets.config.recipe.families import Families
from relight_assets.config.recipe.family_options import FamilyOptions, Intensity, KeyLightOptions
from relight_assets.config.recipe.types import Interval, Part, Unit, ends, number


class Degradation(Families):
    """The light families and how often each is drawn."""

    intensity: Intensity = "standard"
    """How much lights do to a face: mild, standard or strong."""
    mixture_probability: Unit = 0.25
    """How often a second family is added."""
    exposure_range: Annotated[Interval, ends(-4, 4)] = (-0.4, 0.4)
    """EV against the photo."""
    color_adaptation: Unit = 1.0
    """Share of a light's color that the camera's white balance takes out; what key and ambient differ by stays."""
    color_spread: Annotated[float, number(0, 0.5)] = 0.055
    """Standard deviation of the white balance against the photo's, ln R/G: of colors, warm and cool."""
    contrast_adaptation: Unit = 1.0
    """Share of the difference in contrast from the photo that the camera's tone curve takes out, within limits."""
    contrast_spread: Annotated[float, number(0, 2)] = 0.15
    """Standard deviation of the contrast against the photo's, in shadows and in lights, stops."""

    @property
    def families(self) -> dict[str, FamilyOptions]:
        """The section of each family, by its name."""
        return {name: getattr(self, name) for name in family_names()}

    @property
    def key_lights(self) -> dict[str, KeyLightOptions]:
        """The sections of the families that have a key light."""
        return {name: family for name, family in self.families.items() if isinstance(family, KeyLightOptions)}

    @property
    def weights(self) -> dict[str, float]:
        """Family name to its share; the shares sum to 1."""
        parts = {name: family.weight for name, family in self.families.items()}
        total = sum(parts.values())
        return {name: weight / total for name, weight in parts.items()}

    @property
    def draws_patterns(self) -> bool:
        """Whether a light may have a shadow pattern."""
        kinds = self.hard_shadow.kinds.model_dump()
        return self.hard_shadow.weight > 0 and any(weight > 0 for name, weight in kinds.items() if name != "none")

    def scaled(self) -> "Degradation":
        """The same section with the families' ranges as its `intensity` makes them."""
        return self if self.intensity == "standard" else self.changed_to(self.intensity)

    def changed_to(self, intensity: Intensity) -> "Degradation":
        """The same section with milder or stronger lights than its ranges say."""
        scaled: dict[str, Any] = {
            name: family.model_copy(update=family.changes_at(intensity)) for name, family in self.key_lights.items()
        }
        return self.model_copy(update=scaled | {"intensity": intensity})

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values."""
        return self.model_dump(mode="json") | {name: family.content() for name, family in self.families.items()}

    def only(self, family: str) -> "Degradation":
        """The same section with one family alone, unmixed, and without the user's files."""
        changes: dict[str, Any] = {"mixture_probability": 0.0}
        for name, options in self.families.items():
            changes[name] = options.without_files().model_copy(update={"weight": 1.0 if name == family else 0.0})
        return self.model_copy(update=changes)

    def with_patterns_alone(self) -> "Degradation":
        """The same section, whose hard shadows all have a pattern."""
        hard = self.hard_shadow
        kinds = hard.kinds.model_copy(update={"none": 0.0})
        return self.model_copy(update={"hard_shadow": hard.model_copy(update={"kinds": kinds})})

    @model_validator(mode="after")
    def _some_weight(self) -> "Degradation":
        if sum(family.weight for family in self.families.values()) <= 0:
            raise ValueError("the weights of all families sum to 0, so no degradation could be drawn")
        return self


@cache
def family_names() -> tuple[str, ...]:
    """The light families, in the order of the recipe."""
    return tuple(
        name
        for name, field in Degradation.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, FamilyOptions)
    )


def add_family(name: str, options: type[FamilyOptions]) -> None:
    """Add a section for a family that is defined elsewhere, in this process.

    Recipes are validated and unpickled by the classes that other modules have imported, so these are changed in place.
    """
    Degradation.__pydantic_fields__[name] = FieldInfo.from_annotated_attribute(options, options.model_validate({}))
    _rebuild_sections()


def remove_family(name: str) -> None:
    """Take back what :func:`add_family` added."""
    del Degradation.__pydantic_fields__[name]
    _rebuild_sections()


def _rebuild_sections() -> None:
    family_names.cache_clear()
    # In the order of their definition, which has inner sections before those that hold them.
    for section in _below(Part):
        section.model_rebuild(force=True)


def _below(section: type[Part]) -> Iterator[type[Part]]:
    for each in section.__subclasses__():
        yield each
        yield from _below(each)
