"""The part of the recipe that decides the light: the families, how often each is drawn, and where lights may stand.

A family has its section here, a field of :class:`Degradation`, and one module of the same name in
``stages/degraded/families``.
"""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PrivateAttr, StringConstraints, model_validator
from pydantic.fields import FieldInfo

from relight_assets.config.recipe.types import (
    ElevationRange,
    Interval,
    KelvinRange,
    Part,
    Strength,
    Unit,
    UnitRange,
    Weight,
    ends,
    number,
)
from relight_assets.core.color import srgb_to_linear_scalar

SKIN_LOBE_PEAK = 0.27
"""Peak of the GGX skin lobe of gain 1 at roughness .4 under unit light, linear: pi D F G / 4."""
MAX_GAIN = 3.0
"""Above this, skin looks oily."""


def _gain(intensity: float) -> float:
    # What adding `intensity` to a mid-gray display value means in linear light.
    added = srgb_to_linear_scalar(0.5 + intensity) - srgb_to_linear_scalar(0.5)
    return min(MAX_GAIN, added / SKIN_LOBE_PEAK)


def _roughness(shininess: float) -> float:
    # Phong exponent to GGX: n = 2 / alpha^2 - 2 and alpha = roughness^2 (Walter et al., EGSR 2007).
    return math.sqrt(math.sqrt(2.0 / (shininess + 2.0)))


FamilyWeight = Annotated[Weight, Field(description="How often it is drawn, against the other families.")]
MinStrength = Annotated[Strength, Field(description="Spread of log2(input / target) that a pair must have.")]
LightElevations = Annotated[ElevationRange, Field(description="Of the light, degrees; 90 = toward the camera.")]


class FamilyOptions(Part):
    """The section of a family of light."""

    weight: FamilyWeight

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values."""
        return self.model_dump(mode="json")

    def without_files(self) -> "FamilyOptions":
        """The same family for a trial that reads none of the user's files."""
        return self


class KeyLightOptions(FamilyOptions):
    """The section of a family that has a key light, which stands somewhere and must change the picture enough."""

    min_strength: MinStrength
    elevation_range: LightElevations


class HighlightOptions(Part):
    """How wide the highlights of a family are."""

    shininess_range: Annotated[Interval, ends(1, 2000)] = (20.0, 320.0)
    """Phong exponent of the highlight."""

    @property
    def roughness(self) -> Interval:
        """GGX roughness, low to high."""
        low, high = self.shininess_range
        return _roughness(high), _roughness(low)


def _linear(interval: Interval) -> Interval:
    return srgb_to_linear_scalar(interval[0]), srgb_to_linear_scalar(interval[1])


class SoftShading(KeyLightOptions, HighlightOptions):
    """Wide light: a wrapped key and a spherical-harmonics fill over an ambient floor."""

    weight: FamilyWeight = 0.45
    min_strength: MinStrength = 0.35
    elevation_range: LightElevations = (12.0, 70.0)
    ambient_range: UnitRange = (0.27, 0.63)
    """Light that is everywhere, on the display scale."""
    key_share_range: UnitRange = (0.45, 0.9)
    """Key light against fill."""
    wrap_range: UnitRange = (0.05, 0.5)
    """How far the key reaches around."""
    falloff_range: Annotated[Interval, ends(0.5, 4)] = (1.0, 1.4)
    """Exponent of the key against the angle of incidence."""
    self_shadow_probability: Unit = 0.5
    """How often the head shadows itself."""
    specular_intensity_range: UnitRange = (0.0, 0.0)
    """Highlights added to soft light, on the display scale."""
    key_temperature_range: KelvinRange = (2700.0, 7500.0)
    """Colour of the key light, kelvin."""
    key_tint_range: UnitRange = (0.3, 0.9)
    """How much of that colour is seen."""
    ambient_temperature_range: KelvinRange = (5000.0, 9500.0)
    """Colour of the ambient light, kelvin."""
    ambient_tint: Unit = 0.6
    """How much of that colour is seen."""

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear (default .06 to .35)."""
        return _linear(self.ambient_range)

    @property
    def specular_gain(self) -> Interval:
        """Gain over the physical skin lobe; 0 adds no highlight."""
        return _gain(self.specular_intensity_range[0]), _gain(self.specular_intensity_range[1])


class ShadowKinds(Part):
    """Relative weights of the kinds of hard shadow."""

    none: Weight = 0.25
    """Only the head's own shadow."""
    foliage: Weight = 0.195
    """Leaves."""
    blinds: Weight = 0.135
    """Slats."""
    window: Weight = 0.12
    """A window's frame."""
    edge: Weight = 0.12
    """One straight edge."""
    blob: Weight = 0.105
    """Round shapes."""
    lattice: Weight = 0.075
    """A lattice."""
    custom: Weight = 0.0
    """The patterns of `gobo_dir`."""

    @model_validator(mode="after")
    def _some_weight(self) -> "ShadowKinds":
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("the weights sum to 0, so no kind of shadow could be drawn")
        return self


class Gobo(NamedTuple):
    """A user's pattern: the file's name in its folder, and the sha256 of its bytes."""

    name: str
    sha256: str


class HardShadow(KeyLightOptions):
    """One small light, and something between it and the face."""

    weight: FamilyWeight = 0.35
    min_strength: MinStrength = 0.35
    elevation_range: LightElevations = (25.0, 75.0)
    opacity_range: UnitRange = (0.30, 0.62)
    """Share of the display value that a shadow removes."""
    wrap_range: UnitRange = (0.2, 0.6)
    """How far the key reaches around."""
    penumbra_range: Annotated[Interval, ends(0.0005, 0.1)] = (0.0015, 0.012)
    """Width of the shadow's edge, of the subject's size."""
    subsurface_range: Annotated[Interval, ends(0, 0.05)] = (0.0, 0.006)
    """How far red bleeds into the shadow, of the subject's size."""
    coverage_range: UnitRange = (0.25, 0.70)
    """Share of the person in shadow."""
    self_shadow_probability: Unit = 0.6
    """How often the head shadows itself."""
    kinds: ShadowKinds = ShadowKinds()
    gobo_dir: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """Folder of patterns for `kinds.custom`: gray PNGs, white lets light through; relative to the recipe's folder."""
    key_temperature_range: KelvinRange = (3200.0, 6800.0)
    """Colour of the key light, kelvin."""
    ambient_temperature_range: KelvinRange = (5500.0, 11000.0)
    """Colour of the ambient light, kelvin."""
    _gobos: tuple[Gobo, ...] = PrivateAttr(())

    @property
    def gobos(self) -> tuple[Gobo, ...]:
        """The patterns in ``gobo_dir``, by name; none where ``kinds.custom`` is 0."""
        return self._gobos

    def with_gobos(self, folder: Path, gobos: tuple[Gobo, ...]) -> "HardShadow":
        """The same, its ``gobo_dir`` in full and the patterns that were found there."""
        found = self.model_copy(update={"gobo_dir": str(folder)})
        found._gobos = gobos  # noqa: SLF001  (a model of its own class)
        return found

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values: the patterns' content, not the folder that holds them."""
        return super().content() | {"gobo_dir": [list(gobo) for gobo in self.gobos]}

    def without_files(self) -> "HardShadow":
        """The same family with leaves in place of the user's own patterns."""
        shares = {"custom": 0.0, "foliage": self.kinds.foliage + self.kinds.custom}
        return self.model_copy(update={"kinds": self.kinds.model_copy(update=shares)})

    @model_validator(mode="after")
    def _patterns_there(self) -> "HardShadow":
        if self.kinds.custom > 0 and self.gobo_dir is None:
            raise ValueError("`kinds.custom` has a weight, so `gobo_dir` must name the folder of its patterns")
        return self

    @property
    def shadow_level(self) -> Interval:
        """Umbra over lit, linear, low to high (default .12 to .45)."""
        low, high = self.opacity_range
        return _linear((1.0 - high, 1.0 - low))


class Specular(KeyLightOptions, HighlightOptions):
    """A soft light with one or two highlights on the skin."""

    weight: FamilyWeight = 0.20
    min_strength: MinStrength = 0.20
    elevation_range: LightElevations = (30.0, 75.0)
    ambient_range: UnitRange = (0.48, 0.70)
    """Light that is everywhere, on the display scale."""
    intensity_range: UnitRange = (0.19, 0.50)
    """The highlight, on the display scale."""

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear (default .2 to .45)."""
        return _linear(self.ambient_range)

    @property
    def gain(self) -> Interval:
        """Gain over the physical skin lobe (default .8 to 2.9; 1 is physical)."""
        return _gain(self.intensity_range[0]), _gain(self.intensity_range[1])


class Flat(FamilyOptions):
    """Even light from everywhere: the pair is (albedo, photo)."""

    weight: FamilyWeight = 0.0


class Degradation(Part):
    """The families of light and how often each is drawn."""

    soft_shading: SoftShading = SoftShading()
    hard_shadow: HardShadow = HardShadow()
    specular: Specular = Specular()
    none: Flat = Flat()
    mixture_probability: Unit = 0.25
    """How often a second family is added."""
    exposure_range: Annotated[Interval, ends(-4, 4)] = (-0.6, 0.3)
    """EV against the photo."""

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

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values."""
        return self.model_dump(mode="json") | {name: family.content() for name, family in self.families.items()}

    def only(self, family: str) -> "Degradation":
        """The same section with one family alone, unmixed, and without the user's files."""
        changes: dict[str, Any] = {"mixture_probability": 0.0}
        for name, options in self.families.items():
            changes[name] = options.without_files().model_copy(update={"weight": 1.0 if name == family else 0.0})
        return self.model_copy(update=changes)

    @model_validator(mode="after")
    def _some_weight(self) -> "Degradation":
        if sum(family.weight for family in self.families.values()) <= 0:
            raise ValueError("the weights of all families sum to 0, so no degradation could be drawn")
        return self


@cache
def family_names() -> tuple[str, ...]:
    """The families of light, in the order of the recipe."""
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


class LightSampling(Part):
    """Where lights may stand.  Elevation 90 is toward the camera, 0 in the picture plane."""

    method: Literal["hemisphere_uniform"] = "hemisphere_uniform"
    """Uniform over the sphere, not over degrees."""
    elevation_range: LightElevations = (10.0, 80.0)
    azimuth_range: Annotated[Interval, ends(0, 360)] = (0.0, 360.0)
    """Around the face, degrees; 0 = right, 90 = up."""
    from_below: Unit = 0.35
    """How often a light from below the face is accepted."""
    min_light_angle: Annotated[float, number(0, 90)] = 30.0
    """Nearest that a key light may stand to the photo's own, degrees, where that one is known; 0 = anywhere."""

    def elevations(self, family: Interval) -> Interval:
        """The part of a family's elevation range that this range allows, degrees."""
        return max(self.elevation_range[0], family[0]), min(self.elevation_range[1], family[1])
