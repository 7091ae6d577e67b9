"""How often each light family is drawn."""

import pytest
from pydantic import ValidationError

from relight_assets.config.recipe.degradation import Degradation, family_names

NAMES = ("soft_shading", "hard_shadow", "specular", "none")


def test_families_have_the_order_of_the_recipe_and_shares_that_sum_to_1() -> None:
    assert family_names() == NAMES
    assert Degradation().weights == dict(zip(NAMES, (0.45, 0.35, 0.2, 0.0), strict=True))
    doubled = Degradation.model_validate({"none": {"weight": 1.0}})
    assert doubled.weights == dict(zip(NAMES, (0.225, 0.175, 0.1, 0.5), strict=True))
    assert tuple(Degradation().key_lights) == NAMES[:3]


def test_some_family_can_be_drawn() -> None:
    with pytest.raises(ValidationError, match="no degradation could be drawn"):
        Degradation.model_validate({name: {"weight": 0} for name in NAMES})


def test_a_family_alone_is_not_mixed() -> None:
    alone = Degradation(mixture_probability=1.0).only("specular")
    assert alone.weights == {name: float(name == "specular") for name in NAMES}
    assert alone.mixture_probability == 0
