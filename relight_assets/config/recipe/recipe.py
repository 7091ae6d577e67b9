"""The recipe: everything that decides what the pixels are, as frozen, validated models.

The names are those of ``config/mvp_config.yaml``.  Ranges that users of the earlier scripts know
(``ambient_range``, ``opacity_range``, ``*intensity_range``) keep the meaning they had there, values
on the display (sRGB) scale; the properties ending in ``_linear``, ``_gain``, ``_level`` and
``_roughness`` give what the stages compute with.  Nothing here reads a file: see
``config.loader``.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from relight_assets.config.recipe.albedo import AlbedoExtraction
from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.config.recipe.masks import Masks, PhotoQa, Sam3
from relight_assets.config.recipe.networks import Geometry
from relight_assets.config.recipe.types import Byte, Part
from relight_assets.config.recipe.variants import MAX_VARIANTS, Ladder, PlannedVariant, planned

Segmenter = Literal["selfie", "selfie_multiclass", "sam3", "sam3_transformers"]


class Background(Part):
    """What the degraded foreground stands on."""

    use_gray: bool = True
    """False: the photo's own background."""
    gray_color: tuple[Byte, Byte, Byte] = (128, 128, 128)
    """R, G, B of the background, 0..255."""
    blend: Literal["srgb", "linear"] = "srgb"
    """The space in which edges are mixed: `srgb`, as inference tools do, or `linear`."""


class Recipe(Part):
    """Everything that decides what the pixels are."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] = 0
    """Same seed, photos and recipe: the same bytes."""
    image_size: Annotated[Annotated[int, Field(ge=64, le=16384, strict=True)] | None, Field(examples=[1024])] = None
    """Longest side at most, in pixels; none: as it is."""
    variants: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    """Different lights for each portrait."""
    vary: Literal["all", "one"] = "all"
    """In what the lights of a portrait differ: all, or one of direction, softness, color, strength and pattern."""
    ladder: Annotated[Ladder, Field(examples=[[0, 0.25, 0.5, 0.75, 1]])] = ()
    """Each light at these strengths too, mixed with the photo in linear light: amounts from 0 to 1, ascending."""
    no_gobo: bool = False
    """Each light without its shadow pattern too."""
    keep_light: bool = False
    """Keep the light of each picture itself: ambient, key and highlight apart, normals, skin and visibility."""
    segmenter: Segmenter = "selfie"
    """The embedded person mask, one with sharper hair for ten times the time, or SAM3 by one of two packages."""
    sam3: Sam3 = Sam3()
    masks: Masks = Masks()
    photo_qa: PhotoQa = PhotoQa()
    albedo_extraction: AlbedoExtraction = AlbedoExtraction()
    geometry: Geometry = Geometry()
    degradation: Degradation = Field(default_factory=Degradation)
    light_sampling: LightSampling = LightSampling()
    background: Background = Background()

    @model_validator(mode="after")
    def _lights_exist(self) -> "Recipe":
        for name, family in self.degradation.key_lights.items():
            low, high = self.light_sampling.elevations(family.elevation_range)
            if family.weight > 0 and low > high:
                raise ValueError(
                    f"light_sampling.elevation_range {list(self.light_sampling.elevation_range)} and "
                    f"degradation.{name}.elevation_range {list(family.elevation_range)} do not overlap, "
                    f"so that family could never be lit"
                )
        return self

    @model_validator(mode="after")
    def _variants_exist(self) -> "Recipe":
        if self.vary == "one" and self.variants == 1:
            raise ValueError("vary: one compares lights of one portrait: set `variants` to 2 or more")
        if self.no_gobo and not self.degradation.draws_patterns:
            raise ValueError(
                "no_gobo takes the shadow pattern from lights, and this recipe draws none: give "
                "`degradation.hard_shadow` a weight and one of its `kinds` beside `none` one, or leave out `no_gobo`"
            )
        if len(self.planned_variants) > MAX_VARIANTS:
            raise ValueError(
                f"`variants`, `ladder` and `no_gobo` make {len(self.planned_variants)} pictures of each portrait; at "
                f"most {MAX_VARIANTS} are possible: lower `variants` or shorten `ladder`"
            )
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; what is derived from the values is derived anew."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("planned_variants", "differences"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def planned_variants(self) -> tuple[PlannedVariant, ...]:
        """The variants of each portrait, in the order of their numbers."""
        return planned(self.variants, self.ladder, no_gobo=self.no_gobo)

    @property
    def variant_count(self) -> int:
        """How many there are: lights, their mixes with the photo, and lights without a pattern."""
        return len(self.planned_variants)

    @cached_property
    def differences(self) -> dict[str, Any]:
        """What decides the pixels and is not as by default, as plain JSON values."""
        return self.model_dump(mode="json", exclude_defaults=True)
