"""The recipe: everything that decides what the pixels are, as frozen, validated models.

The names are those of ``config/mvp_config.yaml``.  Ranges that users of the earlier scripts know
(``ambient_range``, ``opacity_range``, ``*intensity_range``) keep the meaning they had there, values
on the display (sRGB) scale; the properties ending in ``_linear``, ``_gain``, ``_level`` and
``_roughness`` give what the stages compute with.  Nothing here reads a file: see ``recipe_yaml``.
"""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from relight_assets.config.recipe.lights import Degradation, LightSampling
from relight_assets.config.recipe.networks import Geometry, LearnedAlbedo
from relight_assets.config.recipe.types import Byte, Interval, Part, Unit, Weight, ends, number

Segmenter = Literal["selfie", "sam3", "sam3_transformers"]
AlbedoMethod = Literal["retinex", "retinex_fast", "msr_classic", "learned"]
Persons = Literal["largest", "union", "reject"]
PersonRule = Literal["face_or_body", "face", "score"]


class Sam3(Part):
    """Options of the SAM3 segmenters."""

    text_prompt: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "person"
    """What to segment, in words."""
    min_score: Unit = 0.5
    """Candidates below are no persons."""


class Masks(Part):
    """The gate before everything else: is there a person to relight?"""

    min_score: Unit = 0.96
    """Mean probability inside the mask that tells a person; used by `photo_qa.person: score` alone."""
    min_coverage: Unit = 0.05
    """Share of the picture that the person must cover."""
    persons: Persons = "largest"
    """Of several persons: the largest, all of them, or none (the row is rejected).

    The embedded segmenter does not tell persons apart: of its mask each separate part counts as one.
    """


class PhotoQa(Part):
    """Photos that would teach the wrong thing are rejected, each with its reason."""

    person: PersonRule = "face_or_body"
    """What shows a person: a face or a body; a face alone; or any face or `masks.min_score`, as before 0.3.

    Of a segmenter that tells persons apart, what it found is one, unless `face` asks for more.
    """
    min_face_presence: Annotated[float, number(-100, 100)] = 12.0
    """Logit of the face network that a face must be above: portraits have 14 and more, animals and toys up to 10."""
    sure_mask: tuple[Unit, Unit] = (0.98, 0.2)
    """A body is where the mask's score and the pose detector's are at least these two: the mask is the sure one."""
    sure_pose: tuple[Unit, Unit] = (0.9, 0.65)
    """Or at least these two: the pose detector is the sure one."""
    max_roll: Annotated[float, number(0, 180)] = 60.0
    """Degrees by which the head may be rolled in the plane of the picture; 180 takes all."""
    face_proportions: Annotated[Interval, ends(0, 10)] = (0.87, 1.25)
    """Width over height of the face, 1 = the usual one, outside of which the picture was squashed."""
    negatives: Literal["reject", "take"] = "reject"
    """Pictures whose face shows only once the colours are inverted."""
    max_coverage: Unit = 0.95
    """Share of the picture that the person may cover."""
    min_subject: Annotated[float, number(0, 16384)] = 96.0
    """Root of the person's area, pixels."""
    min_face: Annotated[float, number(0, 16384)] = 48.0
    """Half of the face's height, pixels, where there is a face."""
    max_soft_edge: Unit = 0.12
    """Share of the picture in which the mask may be neither 0 nor 1."""
    max_face_clipped: Unit = 0.08
    """Share of the face with two channels or all at 254 or 255: what cannot be recovered."""
    min_lightness: Annotated[float, number(0, 100)] = 9.0
    """Median CIE L* of the face, or of the person where there is none."""
    min_sharpness: Annotated[float, number(0, 100)] = 0.006
    """Variance of the Laplacian over that of the picture, of the face or of the person, at 256 pixels at most."""
    min_light_contrast: Annotated[float, number(0, 10)] = 0.0
    """Spread of the light on the face or on the person, stops; 0 takes every light."""


class Retinex(Part):
    """Edge-aware masked multi-scale retinex on luminance; its ``scales`` are those of ``msr_classic`` too."""

    enabled: bool = True
    """Cannot be false: there is no other method."""
    surround: Literal["edge_aware", "gaussian"] = "edge_aware"
    """How far light is looked for: up to edges, or the classical Gaussian."""
    scales: Annotated[tuple[Annotated[float, number(1, 2000)], ...], Field(min_length=1, max_length=6)] = (
        15.0,
        80.0,
        250.0,
    )
    """Sigmas of the surrounds in pixels at a subject of 512; used by `gaussian` alone."""
    strength: Unit = 0.92
    """Share of the shading that is taken out."""
    color_strength: Unit = 0.3
    """Share of slow colour drifts over the subject that is taken out."""

    @field_validator("enabled")
    @classmethod
    def _someone_must_do_it(cls, enabled: bool) -> bool:  # noqa: FBT001  (pydantic calls it)
        if not enabled:
            raise ValueError("retinex is the only albedo method there is, so it cannot be switched off")
        return enabled


class AlbedoMethods(Part):
    """The albedo extractors there are."""

    retinex: Retinex = Retinex()
    learned: LearnedAlbedo = LearnedAlbedo()


class AlbedoMix(Part):
    """How often each method is drawn, one per image.  A model that sees several does not learn to invert one."""

    retinex: Weight = 1.0
    """Edge-stopped integration, then edge-aware multi-scale retinex."""
    retinex_fast: Weight = 0.0
    """Edge-aware multi-scale retinex alone."""
    msr_classic: Weight = 0.0
    """As the earlier scripts had it, per channel; to compare with."""
    learned: Weight = 0.0
    """A network of yours; see `methods.learned`."""

    @model_validator(mode="after")
    def _some_weight(self) -> "AlbedoMix":
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("the weights sum to 0, so no method could be drawn")
        return self

    @property
    def weights(self) -> dict[AlbedoMethod, float]:
        """Method to its share; those that are never drawn are left out."""
        given: dict[AlbedoMethod, float] = {
            "retinex": self.retinex,
            "retinex_fast": self.retinex_fast,
            "msr_classic": self.msr_classic,
            "learned": self.learned,
        }
        total = sum(given.values())
        return {name: weight / total for name, weight in given.items() if weight > 0}

    @property
    def draws(self) -> bool:
        """Whether there is anything to draw."""
        return len(self.weights) > 1


class AlbedoExtraction(Part):
    """How the albedo of the foreground is found."""

    mix: AlbedoMix = AlbedoMix()
    methods: AlbedoMethods = AlbedoMethods()

    def deciding(self) -> dict[str, Any]:
        """What decides the pixels, as plain JSON values: a network that is never drawn does not."""
        idle = None if self.mix.learned > 0 else {"mix": {"learned"}, "methods": {"learned"}}
        return self.model_dump(mode="json", exclude=idle)


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
    image_size: Annotated[int, Field(ge=64, le=16384, strict=True)] | None = None
    """Longest side at most, in pixels; none: as it is."""
    variants: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    """Different lights for each portrait."""
    segmenter: Segmenter = "selfie"
    """The embedded person mask, or SAM3 by one of two packages."""
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

    @cached_property
    def differences(self) -> dict[str, Any]:
        """What decides the pixels and is not as by default, as plain JSON values."""
        return self.model_dump(mode="json", exclude_defaults=True)
