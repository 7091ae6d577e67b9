"""The recipe's sections of light families: weight, ranges and minimum strength of each.

A new family gets its section here, and a field of :class:`Families`, whose name is that of the family; how its light is
sampled and rendered stands in the module of the same name in ``stages/degraded/families``.
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from relight_assets.config.recipe.family_options import (
    SHADE,
    SHINE,
    FamilyOptions,
    FamilyWeight,
    HighlightOptions,
    Intensity,
    KeyLightOptions,
    LampOptions,
    LightElevations,
    MinStrength,
    Shininess,
    gain_range,
    linear_range,
    raised,
    scaled_range,
)
from relight_assets.config.recipe.types import Interval, KelvinRange, Part, UnitRange, Weight, ends


class SoftShading(LampOptions):
    """One wide lamp that lights the face from its side, and a faint gloss."""

    weight: FamilyWeight = 0.38
    min_strength: MinStrength = 0.35
    elevation_range: LightElevations = (15.0, 45.0)
    ambient_range: UnitRange = (0.22, 0.35)
    """Light that is everywhere, on the display scale."""
    key_share_range: UnitRange = (0.9, 0.98)
    """Key light against fill."""
    wrap_range: UnitRange = (0.0, 0.12)
    """How far the key reaches around."""
    specular_intensity_range: UnitRange = (0.075, 0.16)
    """Highlights of soft light, on the display scale; [0, 0] adds none."""
    shininess_range: Shininess = (22.0, 51.0)
    """Phong exponent of the highlight."""
    key_temperature_range: KelvinRange = (3900.0, 7500.0)
    """Colour of the key light and of its highlight, kelvin."""
    ambient_ratio_range: Annotated[Interval, ends(0.2, 5)] = (0.9, 1.45)
    """Colour temperature of the ambient light over that of the key light."""
    ambient_temperature_range: KelvinRange = (4800.0, 8000.0)
    """Colour of the ambient light, kelvin, whatever that ratio says."""

    @property
    def specular_gain(self) -> Interval:
        """Gain over the physical skin lobe; 0 adds no highlight."""
        return gain_range(self.specular_intensity_range)

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        low, high = (min(1.0, end * SHINE[intensity]) for end in self.specular_intensity_range)
        return super().changes_at(intensity) | {"specular_intensity_range": (low, high)}


class ShadowKinds(Part):
    """Relative weights of the kinds of hard shadow."""

    none: Weight = 0.16
    """Only the head's own shadow."""
    foliage: Weight = 0.13
    """Leaves."""
    branch: Weight = 0.05
    """Twigs with leaves."""
    blinds: Weight = 0.14
    """Slats."""
    window: Weight = 0.18
    """A window's frame."""
    curtain: Weight = 0.03
    """The edge of a thin curtain."""
    edge: Weight = 0.09
    """One straight edge."""
    blob: Weight = 0.04
    """Round shapes."""
    fence: Weight = 0.10
    """Pickets."""
    lattice: Weight = 0.03
    """A lattice."""
    screen_door: Weight = 0.03
    """A door of fine mesh in a frame."""
    custom: Weight = 0.0
    """The patterns of `gobo_dir`."""

    @model_validator(mode="after")
    def _some_weight(self) -> "ShadowKinds":
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("the weights sum to 0, so no kind of shadow could be drawn")
        return self


class OwnFile(NamedTuple):
    """A user's pattern or panorama: the file's name in its folder, and the sha256 of its bytes."""

    name: str
    sha256: str


PATTERN_ELEVATION = 35.0
"""Degrees, at least, of a lamp behind a pattern: lower ones draw contour maps of the face."""


class HardShadow(KeyLightOptions):
    """One small light: the head's own shadow, and often that of something between it and the face."""

    even_lights = "patterned"

    weight: FamilyWeight = 0.42
    min_strength: MinStrength = 0.35
    elevation_range: LightElevations = (20.0, 65.0)
    opacity_range: UnitRange = (0.45, 0.70)
    """Share of the display value that a shadow removes."""
    wrap_range: UnitRange = (0.0, 0.15)
    """How far the key reaches around."""
    penumbra_range: Annotated[Interval, ends(0.0005, 0.1)] = (0.0015, 0.012)
    """Width of the shadow's edge, of the subject's size."""
    subsurface_range: Annotated[Interval, ends(0, 0.05)] = (0.0, 0.006)
    """How far red bleeds into the shadow, of the subject's size."""
    coverage_range: UnitRange = (0.25, 0.70)
    """Share of the person in shadow."""
    kinds: ShadowKinds = ShadowKinds()
    gobo_dir: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None, Field(examples=["gobos"])
    ] = None
    """Folder of patterns for `kinds.custom`: gray PNGs, white lets light through; relative to the recipe's folder."""
    key_temperature_range: KelvinRange = (3600.0, 7000.0)
    """Colour of the key light, kelvin."""
    ambient_temperature_range: KelvinRange = (5000.0, 9000.0)
    """Colour of the ambient light, kelvin."""
    _gobos: tuple[OwnFile, ...] = PrivateAttr(())

    @property
    def gobos(self) -> tuple[OwnFile, ...]:
        """The patterns in ``gobo_dir``, by name; none where ``kinds.custom`` is 0."""
        return self._gobos

    def with_gobos(self, folder: Path, gobos: tuple[OwnFile, ...]) -> "HardShadow":
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
        """Umbra over lit, linear, low to high (default .07 to .26)."""
        low, high = self.opacity_range
        return linear_range((1.0 - high, 1.0 - low))

    @property
    def even_elevations(self) -> Interval:
        """Those of lamps behind patterns, degrees."""
        return raised(self.elevation_range, PATTERN_ELEVATION)

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        low, high = self.opacity_range
        darkest, lightest = scaled_range((1.0 - high, 1.0 - low), SHADE[intensity])
        return super().changes_at(intensity) | {"opacity_range": (1.0 - lightest, 1.0 - darkest)}


class Specular(LampOptions):
    """One lamp that lights the face from its side, and its highlight on the skin."""

    weight: FamilyWeight = 0.20
    min_strength: MinStrength = 0.20
    elevation_range: LightElevations = (18.0, 43.0)
    ambient_range: UnitRange = (0.25, 0.35)
    """Light that is everywhere, on the display scale."""
    intensity_range: UnitRange = (0.23, 0.33)
    """The highlight, on the display scale."""
    shininess_range: Shininess = (42.0, 148.0)
    """Phong exponent of the highlight."""
    key_share_range: UnitRange = (0.88, 0.97)
    """Key light against fill."""
    wrap_range: UnitRange = (0.0, 0.12)
    """How far the key reaches around."""
    key_temperature_range: KelvinRange = (3900.0, 7000.0)
    """Colour of the key light and of its highlight, kelvin."""
    ambient_temperature_range: KelvinRange = (5200.0, 7500.0)
    """Colour of the ambient light, kelvin."""

    @property
    def gain(self) -> Interval:
        """Gain over the physical skin lobe (default 1 to 1.65; 1 is physical)."""
        return gain_range(self.intensity_range)

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        low, high = (min(1.0, end * SHINE[intensity]) for end in self.intensity_range)
        return super().changes_at(intensity) | {"intensity_range": (low, high)}


class StudioKinds(Part):
    """Relative weights of the kinds of studio light."""

    back: Weight = 0.14
    """Lamps behind the person that draw its outline, beside a dim one in front."""
    gels: Weight = 0.30
    """Two lamps behind coloured gels, one on each side."""
    screen: Weight = 0.1
    """A screen below the face, in a dark room."""
    sky: Weight = 0.22
    """Sun, sky and what the ground throws back."""
    ring: Weight = 0.0
    """A ring of light around the camera: seldom right, so only drawn where it is given a weight."""
    dish: Weight = 0.12
    """A beauty dish at the camera, seldom over it."""
    window: Weight = 0.12
    """A large window beside the person."""

    @model_validator(mode="after")
    def _some_weight(self) -> "StudioKinds":
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("the weights sum to 0, so no kind of studio light could be drawn")
        return self


class Studio(KeyLightOptions, HighlightOptions):
    """The lights of a studio, and three that are known from elsewhere: a screen, a sky and a window."""

    even_lights = "none"

    weight: FamilyWeight = 0.20
    min_strength: MinStrength = 0.30
    elevation_range: LightElevations = (15.0, 60.0)
    """Of sun, window and the dim lamp in front of back lights; the other kinds have their own places."""
    ambient_range: UnitRange = (0.20, 0.32)
    """Light that is everywhere, on the display scale."""
    saturation_range: UnitRange = (0.6, 0.9)
    """How much of a gel's colour is left; skin must be known by its own."""
    shininess_range: Shininess = (35.0, 120.0)
    """Phong exponent of the highlight."""
    kinds: StudioKinds = StudioKinds()

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear."""
        return linear_range(self.ambient_range)

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        return super().changes_at(intensity) | {"ambient_range": scaled_range(self.ambient_range, SHADE[intensity])}


class Environment(KeyLightOptions, HighlightOptions):
    """The light of the user's own panoramas."""

    even_lights = "none"

    weight: FamilyWeight = 0.0
    min_strength: MinStrength = 0.30
    environment_dir: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None, Field(examples=["panoramas"])
    ] = None
    """Folder of panoramas, twice as wide as high: Radiance .hdr, or .png and .jpg; relative to the recipe's folder."""
    elevation_range: LightElevations = (5.0, 75.0)
    """Of a panorama's brightest light: it is turned until that stands there."""
    fill_range: UnitRange = (0.2, 0.6)
    """How much of a panorama's other light is left; 1 is all of it."""
    shininess_range: Shininess = (35.0, 120.0)
    """Phong exponent of the highlight."""
    _panoramas: tuple[OwnFile, ...] = PrivateAttr(())

    @property
    def panoramas(self) -> tuple[OwnFile, ...]:
        """Those in ``environment_dir``, by name; none where the weight is 0."""
        return self._panoramas

    def with_panoramas(self, folder: Path, panoramas: tuple[OwnFile, ...]) -> "Environment":
        """The same, its ``environment_dir`` in full and the panoramas that were found there."""
        found = self.model_copy(update={"environment_dir": str(folder)})
        found._panoramas = panoramas  # noqa: SLF001  (a model of its own class)
        return found

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values: the panoramas' content, not the folder that holds them."""
        return super().content() | {"environment_dir": [list(panorama) for panorama in self.panoramas]}

    def without_files(self) -> "Environment":
        """The same family, which then lights by a made panorama."""
        return self.with_panoramas(Path(), ())

    @model_validator(mode="after")
    def _panoramas_there(self) -> "Environment":
        if self.weight > 0 and self.environment_dir is None:
            raise ValueError("it has a weight, so `environment_dir` must name the folder of its panoramas")
        return self


class Flat(FamilyOptions):
    """Even light from everywhere: the pair is (albedo, photo)."""

    weight: FamilyWeight = 0.0


class Families(Part):
    """The section of each family, by its name."""

    soft_shading: SoftShading = SoftShading()
    hard_shadow: HardShadow = HardShadow()
    specular: Specular = Specular()
    studio: Studio = Studio()
    environment: Environment = Environment()
    none: Flat = Flat()
