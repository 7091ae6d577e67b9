"""A recipe as it was read from a file."""

from dataclasses import dataclass

from relight_assets.config.quality import DEFAULT_QUALITY, Quality
from relight_assets.config.recipe.recipe import Recipe


@dataclass(frozen=True)
class LoadedRecipe:
    """A validated recipe and the warnings that reading it gave, one per ignored key."""

    recipe: Recipe
    warnings: tuple[str, ...]
    quality: Quality = DEFAULT_QUALITY
    """The thresholds that its file gives, in a section that belongs in ``config/platform.yaml``; no part of the recipe.

    ``model_fields_set`` says which it gives.
    """
