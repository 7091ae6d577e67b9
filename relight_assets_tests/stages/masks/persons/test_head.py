"""How a head stands, by the points of its face."""

import numpy as np
import pytest
from numpy.typing import NDArray

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.errors import NegativeError, RotatedError, SquashedError
from relight_assets.stages.masks.persons.head import HEIGHTS, USUAL, WIDTHS, Head, measure_head, require_upright

DEFAULT = PhotoQa()


def face(roll: float = 0.0, wide: float = 1.0) -> NDArray[np.float32]:
    """Points of which the measured ones are as far apart as the usual face has them, times ``wide``."""
    points = np.zeros((468, 3))
    for length, pairs, axis in ((USUAL * wide, WIDTHS, 0), (1.0, HEIGHTS, 1)):
        for first, second in pairs:
            points[first, axis], points[second, axis] = -length / 2, length / 2
    angle = np.radians(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return (100 * points @ turn.T).astype(np.float32)


@pytest.mark.parametrize("roll", [-170.0, -61.0, 0.0, 30.0, 90.0])
def test_roll_is_clockwise_and_proportion_is_against_the_usual_face(roll: float) -> None:
    head = measure_head(face(roll))
    assert head.roll == pytest.approx(roll, abs=1e-3)
    assert head.proportion == pytest.approx(1, abs=1e-4)
    assert not head.inverted


def test_a_face_of_a_changed_photo_is_measured_as_it_stands_in_the_photo() -> None:
    assert measure_head(face(), rotation=90).roll == pytest.approx(90)
    assert measure_head(face(), rotation=270).roll == pytest.approx(-90)
    assert abs(measure_head(face(), rotation=180).roll) == pytest.approx(180)
    assert measure_head(face(), stretch=9 / 16).proportion == pytest.approx(16 / 9, abs=1e-3)
    assert measure_head(face(), inverted=True).inverted


def test_points_that_are_all_one_have_a_head_too() -> None:
    assert np.isfinite(measure_head(np.zeros((468, 3), np.float32)).proportion)


@pytest.mark.parametrize(
    ("head", "error", "key"),
    [
        (Head(60.1, 1.0), RotatedError, r"60\.1 degrees.*photo_qa\.max_roll 60"),
        (Head(-180.0, 1.0), RotatedError, "EXIF"),
        (Head(0.0, 0.86), SquashedError, r"0\.860 .*photo_qa\.face_proportions \[0\.87, 1\.25\]"),
        (Head(0.0, 1.3), SquashedError, "scaled"),
        (Head(0.0, 1.0, inverted=True), NegativeError, r"photo_qa\.negatives"),
    ],
)
def test_what_would_teach_the_wrong_thing_is_rejected_unless_the_recipe_takes_it(
    head: Head, error: type[Exception], key: str
) -> None:
    with pytest.raises(error, match=key) as caught:
        require_upright(head, DEFAULT)
    assert caught.value.rejected  # type: ignore[attr-defined]
    require_upright(head, PhotoQa(max_roll=180, face_proportions=(0, 10), negatives="take"))


def test_an_upright_face_or_none_is_no_reason() -> None:
    require_upright(None, DEFAULT)
    for head in (Head(-60.0, 0.88), Head(59.9, 1.24)):
        require_upright(head, DEFAULT)
