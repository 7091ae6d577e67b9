"""How often each light family is drawn."""

import pytest
from pydantic import ValidationError

from relight_assets.config.recipe.degradation import Degradation, family_names

NAMES = ("soft_shading", "hard_shadow", "specular", "studio", "environment", "none")


def test_families_have_the_order_of_the_recipe_and_shares_that_sum_to_1() -> None:
    assert family_names() == NAMES
    shares = (0.38 / 1.2, 0.35, 1 / 6, 1 / 6, 0.0, 0.0)
    assert Degradation().weights == pytest.approx(dict(zip(NAMES, shares, strict=True)))
    doubled = Degradation.model_validate({"none": {"weight": 1.0}})
    assert doubled.weights == pytest.approx(
        dict(zip(NAMES, (*(1.2 / 2.2 * share for share in shares[:5]), 1 / 2.2), strict=True))
    )
    assert tuple(Degradation().key_lights) == NAMES[:5]


def test_some_family_can_be_drawn() -> None:
    with pytest.raises(ValidationError, match="no degradation could be drawn"):
        Degradation.model_validate({name: {"weight": 0} for name in NAMES})


def test_intensity_scales_shade_highlights_and_the_smallest_strength() -> None:
    mild, standard, strong = (
        Degradation.model_validate({"intensity": name}).scaled() for name in ("mild", "standard", "strong")
    )
    assert standard == Degradation()
    for name, field, order in (
        ("soft_shading", "ambient_linear", 1),
        ("hard_shadow", "shadow_level", 1),
        ("specular", "ambient_linear", 1),
        ("soft_shading", "specular_gain", -1),
        ("specular", "gain", -1),
    ):
        ends = [getattr(each.families[name], field) for each in (mild, standard, strong)][::order]
        assert ends[0] > ends[1] > ends[2]
        assert all(low < high for low, high in ends)
    assert mild.soft_shading.ambient_linear[0] == pytest.approx(2.5 * standard.soft_shading.ambient_linear[0])
    assert (mild.hard_shadow.min_strength, strong.hard_shadow.min_strength) == (0.175, 0.35)
    assert mild.families["none"] == standard.families["none"]


def test_no_shade_is_brighter_than_light() -> None:
    bright = Degradation.model_validate(
        {"intensity": "mild", "soft_shading": {"ambient_range": [0.5, 0.9]}, "hard_shadow": {"opacity_range": [0, 0.2]}}
    ).scaled()
    assert bright.soft_shading.ambient_range[1] == pytest.approx(1)
    assert bright.hard_shadow.opacity_range[0] == pytest.approx(0)


def test_intensity_is_one_of_three() -> None:
    with pytest.raises(ValidationError, match="intensity"):
        Degradation.model_validate({"intensity": "brutal"})


def test_a_family_alone_is_not_mixed() -> None:
    alone = Degradation(mixture_probability=1.0).only("specular")
    assert alone.weights == {name: float(name == "specular") for name in NAMES}
    assert alone.mixture_probability == 0
