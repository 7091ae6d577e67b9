"""What the sections of light families have in common, and how their display values become linear light."""

import math
from typing import Annotated, Any, ClassVar

from pydantic import Field

from relight_assets.config.recipe.types import ElevationRange, Interval, Part, Strength, Weight, ends
from relight_assets.core.color import srgb_to_linear_scalar

SKIN_LOBE_PEAK = 0.27
"""Peak of the GGX skin lobe of gain 1 at roughness .4 under unit light, linear: pi D F G / 4."""
MAX_GAIN = 3.0
"""Above this, skin looks oily."""

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

    stands_evenly: ClassVar[bool] = True
    """Lights stand evenly all around; False: places that do too little to a face are drawn again."""

    min_strength: MinStrength
    elevation_range: LightElevations


class HighlightOptions(Part):
    """How wide the highlights of a family are."""

    shininess_range: Shininess = (20.0, 320.0)
    """Phong exponent of the highlight."""

    @property
    def roughness(self) -> Interval:
        """GGX roughness, low to high."""
        low, high = self.shininess_range
        return _roughness(high), _roughness(low)


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
