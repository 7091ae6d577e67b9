"""Where lights may stand."""

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling


def test_families_are_lit_from_where_both_ranges_allow() -> None:
    sampling, families = LightSampling(elevation_range=(20, 60)), Degradation()
    assert sampling.elevations(families.soft_shading.elevation_range) == (20, 45)
    assert sampling.elevations(families.hard_shadow.elevation_range) == (20, 60)
