"""The recipe's section `albedo_extraction`: the methods, and how often each is drawn."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from relight_assets.config.recipe.networks import LearnedAlbedo
from relight_assets.config.recipe.types import Interval, Part, Unit, UnitRange, Weight, number

AlbedoMethod = Literal["retinex", "retinex_fast", "msr_classic", "learned"]


class Retinex(Part):
    """Edge-aware masked multi-scale retinex on luminance; its ``scales`` are those of ``msr_classic`` too."""

    enabled: bool = True
    """Cannot be false: there is no other method."""
    surround: Literal["edge_aware", "gaussian"] = "edge_aware"
    """How far around a pixel light is averaged: up to edges, or the classical Gaussian."""
    scales: Annotated[tuple[Annotated[float, number(1, 2000)], ...], Field(min_length=1, max_length=6)] = (
        15.0,
        80.0,
        250.0,
    )
    """Sigmas of the surrounds in pixels at a subject of 512; used by `gaussian` alone."""
    strength: Annotated[Unit | None, Field(examples=[0.8])] = None
    """Share of the shading that is taken out; null: drawn for each image from `strength_range`."""
    strength_range: UnitRange = (0.65, 1.0)
    """What the share is drawn from, so that a model does not learn to invert one setting."""
    color_strength: Unit = 0.3
    """Share of slow colour drifts over the subject that is taken out."""

    @property
    def strengths(self) -> Interval:
        """What the share is drawn from; the same number twice where it is given."""
        return self.strength_range if self.strength is None else (self.strength, self.strength)

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
    """Your own ONNX model; see `methods.learned`."""

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
