"""One light of each kind that there is, by name."""

from collections.abc import Mapping
from typing import Any

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.families import ShadowKinds, StudioKinds

_FAMILIES = ("soft_shading", "hard_shadow", "specular", "studio", "environment", "none")


def _kind(kinds: type[ShadowKinds] | type[StudioKinds], name: str) -> dict[str, Any]:
    return {"kinds": {each: float(each == name) for each in kinds.model_fields}}


LIGHTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "soft": ("soft_shading", {}),
    "pattern": ("hard_shadow", _kind(ShadowKinds, "blinds")),
    "bare": ("hard_shadow", _kind(ShadowKinds, "none")),
    "specular": ("specular", {}),
    "environment": ("environment", {"environment_dir": "nowhere"}),  # then a made panorama is taken
    "none": ("none", {}),
    **{name: ("studio", _kind(StudioKinds, name)) for name in StudioKinds.model_fields},
}
"""Family, and its settings."""


def degradation_of(name: str) -> dict[str, Any]:
    """The section of a recipe that draws such lights alone."""
    family, changes = LIGHTS[name]
    return {each: {"weight": float(each == family)} | (changes if each == family else {}) for each in _FAMILIES}


def light_of(name: str) -> Degradation:
    return Degradation.model_validate(degradation_of(name))
