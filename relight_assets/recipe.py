"""The recipe: everything that decides what the pixels are, as frozen, validated models.

The names are those of ``config/mvp_config.yaml``.  Ranges that users of the earlier scripts know
(``ambient_range``, ``opacity_range``, ``*intensity_range``) keep the meaning they had there, values
on the display (sRGB) scale; the properties ending in ``_linear``, ``_gain``, ``_level`` and
``_roughness`` give what the stages compute with.  Nothing here reads a file: see ``recipe_yaml``.
"""

import hashlib
import json
import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

Stage = Literal["masks", "albedo", "degraded", "composites"]
STAGES: tuple[Stage, ...] = ("masks", "albedo", "degraded", "composites")

Segmenter = Literal["selfie", "sam3", "sam3_transformers"]
Persons = Literal["largest", "union", "reject"]

Interval = tuple[float, float]


def srgb_to_linear_scalar(value: float) -> float:
    """Decode one display value in 0..1 to linear light (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _number(low: float, high: float) -> FieldInfo:
    info: FieldInfo = Field(ge=low, le=high, allow_inf_nan=False)
    return info


def _ends(low: float, high: float) -> AfterValidator:
    """Both ends within ``low..high``, and in order."""

    def check(value: Interval) -> Interval:
        if not all(low <= end <= high for end in value):  # false for NaN too
            raise ValueError(f"both ends must be from {low:g} to {high:g}")
        if value[0] > value[1]:
            raise ValueError("the first number must not be larger than the second")
        return value

    return AfterValidator(check)


class Part(BaseModel):
    """A section of the recipe: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Unit = Annotated[float, _number(0, 1)]
Weight = Annotated[float, _number(0, 1e6)]
Strength = Annotated[float, _number(0, 4)]
UnitRange = Annotated[Interval, _ends(0, 1)]
ElevationRange = Annotated[Interval, _ends(0, 90)]
KelvinRange = Annotated[Interval, _ends(1667, 25000)]
Byte = Annotated[int, Field(ge=0, le=255, strict=True)]


class Sam3(Part):
    """Options of the SAM3 segmenters."""

    text_prompt: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "person"
    min_score: Unit = 0.5
    """Candidates below are no persons."""


class Masks(Part):
    """The gate before everything else: is there a person to relight?"""

    min_score: Unit = 0.96
    min_coverage: Unit = 0.05
    persons: Persons = "largest"
    """Of several persons: the largest, all of them, or none (the row is rejected)."""


class Retinex(Part):
    """Edge-aware masked multi-scale retinex on luminance (``retinex_fast``)."""

    enabled: bool = True
    surround: Literal["edge_aware", "gaussian"] = "edge_aware"
    scales: Annotated[tuple[Annotated[float, _number(1, 2000)], ...], Field(min_length=1, max_length=6)] = (
        15.0,
        80.0,
        250.0,
    )
    strength: Unit = 0.85
    color_strength: Unit = 0.3

    @field_validator("enabled")
    @classmethod
    def _someone_must_do_it(cls, enabled: bool) -> bool:  # noqa: FBT001  (pydantic calls it)
        if not enabled:
            raise ValueError("retinex is the only albedo method there is, so it cannot be switched off")
        return enabled


class AlbedoMethods(Part):
    """The albedo extractors there are."""

    retinex: Retinex = Retinex()


class AlbedoExtraction(Part):
    """How the albedo of the foreground is found."""

    methods: AlbedoMethods = AlbedoMethods()


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


class _Shiny(Part):
    shininess_range: Annotated[Interval, _ends(1, 2000)] = (20.0, 320.0)

    @property
    def roughness(self) -> Interval:
        """GGX roughness, low to high."""
        low, high = self.shininess_range
        return _roughness(high), _roughness(low)


def _linear(interval: Interval) -> Interval:
    return srgb_to_linear_scalar(interval[0]), srgb_to_linear_scalar(interval[1])


class SoftShading(_Shiny):
    """Wide light: a wrapped key and a spherical-harmonics fill over an ambient floor."""

    weight: Weight = 0.45
    min_strength: Strength = 0.35
    elevation_range: ElevationRange = (12.0, 70.0)
    ambient_range: UnitRange = (0.27, 0.63)
    key_share_range: UnitRange = (0.45, 0.9)
    wrap_range: UnitRange = (0.05, 0.5)
    falloff_range: Annotated[Interval, _ends(0.5, 4)] = (1.0, 1.4)
    self_shadow_probability: Unit = 0.5
    specular_intensity_range: UnitRange = (0.0, 0.0)
    key_temperature_range: KelvinRange = (2700.0, 7500.0)
    key_tint_range: UnitRange = (0.3, 0.9)
    ambient_temperature_range: KelvinRange = (5000.0, 9500.0)
    ambient_tint: Unit = 0.6

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear (default .06 to .35)."""
        return _linear(self.ambient_range)

    @property
    def specular_gain(self) -> Interval:
        """Gain over the physical skin lobe; 0 adds no highlight."""
        return _gain(self.specular_intensity_range[0]), _gain(self.specular_intensity_range[1])


class ShadowKinds(Part):
    """Relative weights of what throws the hard shadow; ``none`` is the head's own shadow alone."""

    none: Weight = 0.25
    foliage: Weight = 0.195
    blinds: Weight = 0.135
    window: Weight = 0.12
    edge: Weight = 0.12
    blob: Weight = 0.105
    lattice: Weight = 0.075

    @model_validator(mode="after")
    def _some_weight(self) -> "ShadowKinds":
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("the weights sum to 0, so no kind of shadow could be drawn")
        return self


class HardShadow(Part):
    """One small light, and something between it and the face."""

    weight: Weight = 0.35
    min_strength: Strength = 0.35
    elevation_range: ElevationRange = (25.0, 75.0)
    opacity_range: UnitRange = (0.30, 0.62)
    wrap_range: UnitRange = (0.2, 0.6)
    penumbra_range: Annotated[Interval, _ends(0.0005, 0.1)] = (0.0015, 0.012)
    subsurface_range: Annotated[Interval, _ends(0, 0.05)] = (0.0, 0.006)
    coverage_range: UnitRange = (0.25, 0.70)
    self_shadow_probability: Unit = 0.6
    kinds: ShadowKinds = ShadowKinds()
    key_temperature_range: KelvinRange = (3200.0, 6800.0)
    ambient_temperature_range: KelvinRange = (5500.0, 11000.0)

    @property
    def shadow_level(self) -> Interval:
        """Umbra over lit, linear, low to high (default .12 to .45)."""
        low, high = self.opacity_range
        return _linear((1.0 - high, 1.0 - low))


class Specular(_Shiny):
    """A soft light with one or two highlights on the skin."""

    weight: Weight = 0.20
    min_strength: Strength = 0.20
    elevation_range: ElevationRange = (30.0, 75.0)
    ambient_range: UnitRange = (0.48, 0.70)
    intensity_range: UnitRange = (0.19, 0.50)

    @property
    def ambient_linear(self) -> Interval:
        """Ambient share of the light, linear (default .2 to .45)."""
        return _linear(self.ambient_range)

    @property
    def gain(self) -> Interval:
        """Gain over the physical skin lobe (default .8 to 2.9; 1 is physical)."""
        return _gain(self.intensity_range[0]), _gain(self.intensity_range[1])


class Flat(Part):
    """No light at all: the pair is (albedo, photo)."""

    weight: Weight = 0.0


class Degradation(Part):
    """The families of light and how often each is drawn."""

    soft_shading: SoftShading = SoftShading()
    hard_shadow: HardShadow = HardShadow()
    specular: Specular = Specular()
    none: Flat = Flat()
    mixture_probability: Unit = 0.25
    exposure_range: Annotated[Interval, _ends(-4, 4)] = (-0.6, 0.3)

    @property
    def weights(self) -> dict[str, float]:
        """Family name to its share; the shares sum to 1."""
        parts = {
            "soft_shading": self.soft_shading.weight,
            "hard_shadow": self.hard_shadow.weight,
            "specular": self.specular.weight,
            "none": self.none.weight,
        }
        total = sum(parts.values())
        return {name: weight / total for name, weight in parts.items()}

    @model_validator(mode="after")
    def _some_weight(self) -> "Degradation":
        families = (self.soft_shading, self.hard_shadow, self.specular, self.none)
        if sum(family.weight for family in families) <= 0:
            raise ValueError("the weights of all families sum to 0, so no degradation could be drawn")
        return self


class LightSampling(Part):
    """Where lights may stand.  Elevation 90 is toward the camera, 0 in the picture plane."""

    method: Literal["hemisphere_uniform"] = "hemisphere_uniform"
    elevation_range: ElevationRange = (10.0, 80.0)
    azimuth_range: Annotated[Interval, _ends(0, 360)] = (0.0, 360.0)
    from_below: Unit = 0.35

    def elevations(self, family: Interval) -> Interval:
        """The part of a family's elevation range that this range allows, degrees."""
        return max(self.elevation_range[0], family[0]), min(self.elevation_range[1], family[1])


class Background(Part):
    """What the degraded foreground stands on."""

    use_gray: bool = True
    gray_color: tuple[Byte, Byte, Byte] = (128, 128, 128)
    blend: Literal["srgb", "linear"] = "srgb"


class Recipe(Part):
    """Everything that decides what the pixels are."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] = 0
    image_size: Annotated[int, Field(ge=64, le=16384, strict=True)] | None = None
    segmenter: Segmenter = "selfie"
    sam3: Sam3 = Sam3()
    masks: Masks = Masks()
    albedo_extraction: AlbedoExtraction = AlbedoExtraction()
    degradation: Degradation = Degradation()
    light_sampling: LightSampling = LightSampling()
    background: Background = Background()

    @model_validator(mode="after")
    def _lights_exist(self) -> "Recipe":
        for name in ("soft_shading", "hard_shadow", "specular"):
            family = getattr(self.degradation, name)
            low, high = self.light_sampling.elevations(family.elevation_range)
            if family.weight > 0 and low > high:
                raise ValueError(
                    f"light_sampling.elevation_range {list(self.light_sampling.elevation_range)} and "
                    f"degradation.{name}.elevation_range {list(family.elevation_range)} do not overlap, "
                    f"so that family could never be lit"
                )
        return self

    def part(self, stage: Stage) -> dict[str, Any]:
        """The part of the recipe that one stage's pixels depend on, as plain JSON values."""
        parts: dict[Stage, dict[str, Any]] = {
            "masks": {
                "image_size": self.image_size,
                "segmenter": self.segmenter,
                "masks": self.masks,
                "blend": self.background.blend,  # the foreground is estimated in the space it is blended in
            },
            "albedo": {"albedo_extraction": self.albedo_extraction},
            "degraded": {
                "seed": self.seed,
                "degradation": self.degradation,
                "light_sampling": self.light_sampling,
            },
            "composites": {"background": self.background},
        }
        if self.segmenter != "selfie":
            parts["masks"]["sam3"] = self.sam3
        return {key: v.model_dump(mode="json") if isinstance(v, Part) else v for key, v in parts[stage].items()}


def canonical_digest(value: Any) -> str:
    """sha256 of a JSON value in its one canonical spelling."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
