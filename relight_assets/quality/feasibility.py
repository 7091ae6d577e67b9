"""Can a recipe give usable pairs at all?  Asked once, before any image is touched."""

from functools import lru_cache

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ConfigError
from relight_assets.stages.degraded.feasibility import usable_share

MIN_SHARE = 0.2


@lru_cache(maxsize=8)
def check_usable(recipe: Recipe) -> None:
    """Refuse a recipe whose lights hardly ever pass the strength gate.

    Raises:
        ConfigError: names the family, the share that passes, and what to widen.
    """
    standard = Recipe()
    if (recipe.degradation, recipe.light_sampling) == (standard.degradation, standard.light_sampling):
        return  # known to be good; a test sees to it
    for family, share in usable_share(recipe).items():
        if share < MIN_SHARE:
            remedy = {
                "soft_shading": "lower `ambient_range`",
                "hard_shadow": "raise `opacity_range`",
                "specular": "lower `ambient_range` or raise `intensity_range`",
            }.get(family, "widen its ranges")
            raise ConfigError(
                f"degradation.{family}: only {share:.0%} of its lights differ enough from the photo's own to "
                f"teach anything (min_strength); {remedy}, or set its weight to 0"
            )
