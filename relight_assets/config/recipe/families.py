"""The recipe's sections of light families: weight, ranges and minimum strength of each.

A new family gets its section here, and a field of :class:`Families`, whose name is that of the family; how its light is
sampled and rendered stands in the module of the same name in ``stages/degraded/families``.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import PrivateAttr, StringConstraints, model_validator

from relight_assets.config.recipe.family_options import (
    FamilyOptions,
    FamilyWeight,
    HighlightOptions,
    KeyLightOptions,
    LightElevations,
    MinStrength,
    Shininess,
    gain_range,
    linear_range,
)
from relight_assets.config.recipe.types import Interval, KelvinRange, Part, Unit, UnitRange, Weight, ends


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
        return linear_range(self.ambient_range)

    @property
    def specular_gain(self) -> Interval:
        """Gain over the physical skin lobe; 0 adds no highlight."""
        return gain_range(self.specular_intensity_range)


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
        return linear_range((1.0 - high, 1.0 - low))


class Specular(KeyLightOptions, HighlightOptions):
    """One lamp that lights the face from its side, and its highlight on the skin."""

    stands_evenly: ClassVar[bool] = False

    weight: FamilyWeight = 0.20
    min_strength: MinStrength = 0.20
    elevation_range: LightElevations = (18.0, 43.0)
    ambient_range: UnitRange = (0.27, 0.37)
    """Light that is everywhere, on the display scale."""
    intensity_range: UnitRange = (0.23, 0.33)
    """The highlight, on the display scale."""
    shininess_range: Shininess = (42.0, 148.0)
    """Phong exponent of the highlight."""
    key_share_range: UnitRange = (0.84, 0.95)
    """Key light against fill."""
    wrap_range: UnitRange = (0.04, 0.18)
    """How far the key reaches around."""
    key_temperature_range: KelvinRange = (3900.0, 7000.0)
    """Colour of the key light and of its highlight, kelvin."""
    key_tint_range: UnitRange = (0.3, 0.55)
    """How much of that colour is seen."""
    ambient_temperature_range: KelvinRange = (5200.0, 7500.0)
    """Colour of the ambient light, kelvin."""

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear (default .06 to .11)."""
        return linear_range(self.ambient_range)

    @property
    def gain(self) -> Interval:
        """Gain over the physical skin lobe (default 1 to 1.65; 1 is physical)."""
        return gain_range(self.intensity_range)


class Flat(FamilyOptions):
    """Even light from everywhere: the pair is (albedo, photo)."""

    weight: FamilyWeight = 0.0


class Families(Part):
    """The section of each family, by its name."""

    soft_shading: SoftShading = SoftShading()
    hard_shadow: HardShadow = HardShadow()
    specular: Specular = Specular()
    none: Flat = Flat()
