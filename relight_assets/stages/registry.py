"""The stages there are, in the order in which they run."""

import importlib
import re
from collections.abc import Iterable

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.stages.albedo.stage import ALBEDO
from relight_assets.stages.base import Stage, StageSpec
from relight_assets.stages.composites.stage import COMPOSITES
from relight_assets.stages.degraded.stage import DEGRADED
from relight_assets.stages.light_maps.stage import LIGHT_MAPS
from relight_assets.stages.masks.stage import MASKS

_STAGES: dict[Stage, StageSpec] = {spec.name: spec for spec in (MASKS, ALBEDO, DEGRADED, COMPOSITES, LIGHT_MAPS)}
_VARIANT = re.compile(r"v[1-9][0-9]*_(.+)")
_extra: dict[str, StageSpec] = {}
"""Those that were added, by the dotted names of their modules."""


def stages() -> tuple[StageSpec, ...]:
    """All stages, in the order in which they run; also those that no recipe may ask for."""
    return tuple(_STAGES.values())


def stage_names(recipe: Recipe | None = None) -> tuple[Stage, ...]:
    """Names of the stages that a recipe asks for, in the same order; None: of those that every recipe asks for."""
    return tuple(
        name for name, spec in _STAGES.items() if spec.enabled is None or (recipe is not None and spec.enabled(recipe))
    )


def all_stage_names() -> tuple[Stage, ...]:
    """The names of all stages, in the same order."""
    return tuple(_STAGES)


def is_stage(name: str) -> bool:
    """Whether there is a stage of that name."""
    return name in _STAGES


def stage_spec(name: Stage) -> StageSpec:
    """The stage of a name.

    Raises:
        KeyError: there is none.
    """
    return _STAGES[name]


def stage_of(artifact: str) -> Stage:
    """The stage that writes an artifact, of whatever variant.

    Raises:
        KeyError: none does.
    """
    match = _VARIANT.fullmatch(artifact)
    plain = match[1] if match else artifact
    for spec in stages():
        if plain in spec.artifacts:
            return spec.name
    raise KeyError(artifact)


def register_stages(modules: Iterable[str]) -> None:
    """Add the stage ``STAGE`` of each module, by its dotted name, behind the others; one that is there is kept.

    Worker processes receive the names, and import the modules themselves.
    """
    for module in modules:
        if module not in _extra:
            spec: StageSpec = importlib.import_module(module).STAGE
            _extra[module] = _STAGES[spec.name] = spec


def remove_stages(modules: Iterable[str]) -> None:
    """Take stages away that were added."""
    for module in modules:
        if spec := _extra.pop(module, None):
            del _STAGES[spec.name]


def extra_modules() -> tuple[str, ...]:
    """The dotted names of the modules whose stages were added."""
    return tuple(_extra)
