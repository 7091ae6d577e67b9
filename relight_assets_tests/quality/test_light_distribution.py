"""Where lights are expected, once the photos' own lights have taken their part of the sphere."""

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.rng import stream
from relight_assets.quality.light_distribution import SECTORS, Placed, spread
from relight_assets.stages.degraded.direction import Direction, direction, draw_direction
from relight_assets_tests.conftest import recipe_with

COUNT = 2400


def drawn(source: Direction, recipe: Recipe) -> list[Placed]:
    rng, sampling = stream(0, "", 0, "lights"), recipe.light_sampling
    elevations = sampling.elevations(recipe.degradation.hard_shadow.even_elevations)
    lights = [draw_direction(rng, elevations, sampling, source).vector for _ in range(COUNT)]
    return [Placed("hard_shadow", light, source.vector, patterned=True) for light in lights]


@pytest.mark.parametrize("azimuth", [0, 45, 90])
def test_lights_that_keep_away_from_the_photos_own_are_where_they_are_expected(azimuth: float) -> None:
    recipe = recipe_with(light_sampling={"min_light_angle": 60})
    found = spread(drawn(direction(35, azimuth), recipe), recipe)
    assert found.expected.sum() == pytest.approx(found.found.sum())
    assert found.expected.max() > 1.5 * found.expected.min()
    assert found.off < 3.5


def test_lights_that_do_not_keep_away_are_reported() -> None:
    near = recipe_with(light_sampling={"min_light_angle": 60})
    assert spread(drawn(direction(35, 90), recipe_with(light_sampling={"min_light_angle": 0})), near).off > 5


def test_without_a_known_light_every_sector_is_alike() -> None:
    above = [Placed("hard_shadow", direction(40, azimuth).vector, None, True) for azimuth in range(1, 180, 2)]
    below = [Placed("hard_shadow", (0.0, 0.6, 0.8), None, True), Placed("none", (0.0, 0.0, 1.0), None)]
    places = ("hard_shadow", "soft_shading", "specular")
    chosen = [Placed(family, direction(40, 90).vector, None) for family in places] * 20
    found = spread([*above, *below, *chosen], Recipe())
    assert found.expected == pytest.approx(found.found)
    assert found.found.sum() == len(above) == SECTORS * 15


def test_an_image_that_had_nowhere_to_go_does_not_count() -> None:
    recipe = recipe_with(
        light_sampling={"min_light_angle": 90, "elevation_range": [60, 80]},
        degradation={
            "soft_shading": {"weight": 0},
            "hard_shadow": {"elevation_range": [60, 80]},
            "specular": {"weight": 0},
            "studio": {"weight": 0},
        },
    )
    assert spread([Placed("hard_shadow", direction(60, 45).vector, (0.0, 0.0, 1.0), True)], recipe).found.sum() == 0
