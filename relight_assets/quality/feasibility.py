"""Whether the lights of a recipe are strong enough, checked once, before any image is processed."""

from functools import lru_cache

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ConfigError
from relight_assets.stages.degraded.families import registry
from relight_assets.stages.degraded.feasibility import recipe_feasibility

MIN_SHARE = 0.2
"""Share of a family's lights that must be strong enough; with less, most rows would be rejected."""


@lru_cache(maxsize=8)
def check_feasible(recipe: Recipe) -> None:
    """Refuse a recipe whose lights seldom pass the strength gate.

    Raises:
        ConfigError: names the family, the share that passes, and what to widen.
    """
    standard = Recipe()
    if (recipe.degradation, recipe.light_sampling) == (standard.degradation, standard.light_sampling):
        return  # known to be good; a test sees to it
    for family, share in recipe_feasibility(recipe, MIN_SHARE).items():
        if share < MIN_SHARE:
            raise ConfigError(
                f"degradation.{family}: only {share:.0%} of its lights differ enough from the photo's own to "
                f"teach anything (min_strength); {registry.family(family).remedy}, or set its weight to 0"
            )
