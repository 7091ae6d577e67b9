"""What the sections of light families have in common, and how their display values become linear light."""

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from relight_assets.config.recipe.types import (
    ElevationRange,
    Interval,
    KelvinRange,
    Part,
    Strength,
    UnitRange,
    Weight,
    ends,
)
from relight_assets.core.color import linear_to_srgb_scalar, srgb_to_linear_scalar

SKIN_LOBE_PEAK = 0.27
"""Peak of the GGX skin lobe of gain 1 at roughness .4 under unit light, linear: pi D F G / 4."""
MAX_GAIN = 3.0
"""Above this, skin looks oily."""
Intensity = Literal["mild", "standard", "strong"]
SHADE = {"mild": 2.5, "standard": 1.0, "strong": 0.6}
"""Factor on the light in the shade, linear."""
SHINE = {"mild": 0.6, "standard": 1.0, "strong": 1.2}
"""Factor on the gain of highlights."""
LEAST = {"mild": 0.5, "standard": 1.0, "strong": 1.0}
"""Factor on the smallest strength of a pair: a mild light changes less."""

FamilyWeight = Annotated[Weight, Field(description="How often it is drawn, against the other families.")]
MinStrength = Annotated[Strength, Field(description="Spread of log2(output / target) that a pair must have.")]
Shininess = Annotated[Interval, ends(1, 2000)]
LightElevations = Annotated[ElevationRange, Field(description="Of the light, degrees; 90 = toward the camera.")]


class FamilyOptions(Part):
    """The section of a light family."""

    weight: FamilyWeight

    def content(self) -> dict[str, Any]:
        """What pixels depend on, as plain JSON values."""
        return self.model_dump(mode="json")

    def without_files(self) -> "FamilyOptions":
        """The same family for a trial that reads none of the user's files."""
        return self


class KeyLightOptions(FamilyOptions):
    """The section of a family that has a key light, which has a direction and must change the image enough."""

    even_lights: ClassVar[Literal["all", "patterned", "none"]] = "all"
    """Those that stand evenly all around; places of others are chosen by what a lamp does to the face from there."""

    min_strength: MinStrength
    elevation_range: LightElevations

    @property
    def even_elevations(self) -> Interval:
        """Elevations at which :attr:`even_lights` stand, degrees."""
        return self.elevation_range

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        return {"min_strength": self.min_strength * LEAST[intensity]}


class HighlightOptions(Part):
    """How wide the highlights of a family are."""

    shininess_range: Shininess = (20.0, 320.0)
    """Phong exponent of the highlight."""

    @property
    def roughness(self) -> Interval:
        """GGX roughness, low to high."""
        low, high = self.shininess_range
        return _roughness(high), _roughness(low)


class LampOptions(KeyLightOptions, HighlightOptions):
    """The section of a family whose light is one lamp in a dim room."""

    even_lights = "none"

    ambient_range: UnitRange
    """Light that is everywhere, on the display scale."""
    key_share_range: UnitRange
    """Key light against fill."""
    wrap_range: UnitRange
    """How far the key reaches around."""
    key_temperature_range: KelvinRange
    """Colour of the key light and of its highlight, kelvin."""
    key_tint_range: UnitRange = (0.3, 0.55)
    """How much of that colour is seen."""
    ambient_temperature_range: KelvinRange
    """Colour of the ambient light, kelvin."""

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear."""
        return linear_range(self.ambient_range)

    def changes_at(self, intensity: Intensity) -> dict[str, Any]:
        """The fields that a milder or stronger light changes, with their values."""
        return super().changes_at(intensity) | {"ambient_range": scaled_range(self.ambient_range, SHADE[intensity])}


def raised(elevations: Interval, least: float) -> Interval:
    """The part of a range from ``least`` on; its upper end where all of it is lower."""
    low, high = elevations
    return min(max(low, least), high), high


def scaled_range(interval: Interval, factor: float) -> Interval:
    """A range on the display scale whose linear light is so many times as much, at most 1."""
    low, high = (min(1.0, value * factor) for value in linear_range(interval))
    return linear_to_srgb_scalar(low), linear_to_srgb_scalar(high)


def linear_range(interval: Interval) -> Interval:
    """A range on the display (sRGB) scale, 0 to 1, as linear light."""
    return srgb_to_linear_scalar(interval[0]), srgb_to_linear_scalar(interval[1])


def gain_range(interval: Interval) -> Interval:
    """A range of highlights on the display scale as gains over the physical skin lobe; 0 adds no highlight."""
    return _gain(interval[0]), _gain(interval[1])


def _gain(intensity: float) -> float:
    # What adding `intensity` to a mid-gray display value means in linear light.
    added = srgb_to_linear_scalar(0.5 + intensity) - srgb_to_linear_scalar(0.5)
    return min(MAX_GAIN, added / SKIN_LOBE_PEAK)


def _roughness(shininess: float) -> float:
    # Phong exponent to GGX: n = 2 / alpha^2 - 2 and alpha = roughness^2 (Walter et al., EGSR 2007).
    return math.sqrt(math.sqrt(2.0 / (shininess + 2.0)))
