import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import NoPersonError, SeveralPersonsError
from relight_assets.stages.masks.mask import (
    PersonNumbers,
    person_numbers,
    require_instances,
    require_one_person,
)


def test_numbers_of_a_mask():
    probability = np.zeros((10, 10), np.float32)
    probability[:5, :5] = 0.8
    numbers = person_numbers(probability)
    assert numbers.score == pytest.approx(0.8)
    assert numbers.coverage == pytest.approx(0.25)
    assert person_numbers(np.zeros((4, 4), np.float32)) == PersonNumbers(0.0, 0.0)


def settings(**masks):
    return Recipe.model_validate({"segmenter": "sam3", "masks": masks})


def test_found_persons_are_let_through_by_the_recipe():
    require_instances([0.9], 0.9, 0.3, settings())
    require_instances([0.9, 0.8], 0.9, 0.3, settings(persons="largest"))
    require_instances([0.9, 0.8], 0.9, 0.3, settings(persons="union"))
    require_instances([0.9], 0.9, 0.3, settings(persons="reject"))


def test_persons_that_the_recipe_does_not_want_are_turned_away_with_numbers():
    with pytest.raises(NoPersonError, match=r"best candidate scored 0\.312"):
        require_instances([], 0.312, 0.0, settings())
    with pytest.raises(NoPersonError, match=r"2\.0%"):
        require_instances([0.9], 0.9, 0.02, settings())
    with pytest.raises(SeveralPersonsError, match=r"2 persons.*0\.90, 0\.70") as caught:
        require_instances([0.9, 0.7], 0.9, 0.3, settings(persons="reject"))
    assert caught.value.rejected


def test_a_second_person_is_rejected_where_the_recipe_says_so() -> None:
    require_one_person(True, "largest")
    require_one_person(True, "union")
    require_one_person(False, "reject")
    with pytest.raises(SeveralPersonsError, match="a second large part"):
        require_one_person(True, "reject")
