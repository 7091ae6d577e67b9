import pytest

from relight_assets.config.recipe.families import StudioKinds
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.stages.degraded.feasibility import model_head, recipe_feasibility


def parsed(**degradation):
    return Recipe.model_validate({"degradation": degradation})


def recipe_of(family, **changes):
    """A recipe of one family alone."""
    weights = {name: {"weight": float(name == family)} for name in Recipe().degradation.key_lights}
    weights[family] |= changes
    return parsed(**weights)


def test_the_defaults_pass_nearly_always():
    shares = recipe_feasibility(Recipe())
    assert set(shares) == {"soft_shading", "hard_shadow", "specular", "studio"}
    assert min(shares.values()) > 0.9


def test_the_values_of_the_earlier_scripts_pass():
    shares = recipe_feasibility(
        parsed(
            soft_shading={
                "weight": 0.8,
                "ambient_range": (0.6, 0.85),
                "specular_intensity_range": (0.05, 0.2),
                "shininess_range": (10, 100),
            },
            hard_shadow={"weight": 0},
            specular={"weight": 0},
            studio={"weight": 0},
        )
    )
    assert set(shares) == {"soft_shading"}
    assert shares["soft_shading"] > 0.4


def test_light_that_is_nearly_all_ambient_does_not_pass():
    soft = recipe_of("soft_shading", ambient_range=(0.9, 0.99))
    assert recipe_feasibility(soft)["soft_shading"] < 0.1
    hard = recipe_of("hard_shadow", opacity_range=(0.0, 0.02))
    assert recipe_feasibility(hard)["hard_shadow"] < 0.2


def test_gels_whose_colours_are_alike_in_brightness_pass():
    kinds = {name: float(name == "gels") for name in StudioKinds.model_fields}
    assert recipe_feasibility(recipe_of("studio", kinds=kinds))["studio"] > 0.8


def test_it_gives_the_same_answer_twice_and_draws_no_more_than_it_must():
    enough = recipe_feasibility(Recipe(), 0.2)
    assert enough == recipe_feasibility(Recipe(), 0.2)
    assert set(enough.values()) == {0.25}  # 4 of 16


def test_the_model_is_lit_from_the_camera():
    scene = model_head()
    middle, side = scene.photo_light[26, 36], scene.photo_light[26, 24]
    assert middle > side > 0
    assert scene.core.mean() == pytest.approx(0.4, abs=0.2)
