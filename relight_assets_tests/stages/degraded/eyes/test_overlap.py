import numpy as np
import pytest

from relight_assets.stages.degraded.eyes import overlap
from relight_assets.stages.degraded.eyes.own_lights import clear_eyes
from relight_assets_tests.stages.made_eyes import photo_of_eye


def overlaps(photo: np.ndarray, degraded: np.ndarray, eyes: list[np.ndarray]) -> list[float]:
    return overlap.overlaps(photo, degraded, clear_eyes(photo, eyes))


@pytest.mark.parametrize("radius", [8.0, 20.0])
def test_what_stays_is_1_and_what_moves_is_0(radius: float) -> None:
    photo, points = photo_of_eye(radius, 0.9, (0.4, 0.0))
    moved, _ = photo_of_eye(radius, 0.9, (-0.4, 0.1))
    assert overlaps(photo, photo, [points]) == [1]
    assert overlaps(photo, photo // 2, [points])[0] > 0.9
    assert overlaps(photo, moved, [points]) == [0]
    assert overlaps(photo, moved, [points, points]) == [0, 0]


def test_half_of_it() -> None:
    photo, points = photo_of_eye(20, 0.9, (0.4, 0.0))
    near, _ = photo_of_eye(20, 0.9, (0.52, 0.0))
    assert 0.2 < overlaps(photo, near, [points])[0] < 0.9


def test_eyes_that_mirror_nothing_or_are_not_seen_do_not_count() -> None:
    nothing, points = photo_of_eye(catch_light=None)
    assert overlaps(nothing, nothing, [points]) == []
    small, points = photo_of_eye(4)
    assert overlaps(small, small, [points]) == []
    assert overlaps(np.zeros_like(small), small, []) == []
