import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.source_light.source_light import UNKNOWN, estimate
from relight_assets_tests.stages.degraded.source_light.made_face import photo_of, points_of


def test_without_points_nothing_is_known():
    assert estimate(None) == UNKNOWN
    assert (UNKNOWN.direction, UNKNOWN.softness, UNKNOWN.warmth) == (None, None, None)


def test_a_clear_light_is_known_in_all_of_it():
    light = direction(40, 30)
    found = estimate(points_of(photo_of(light, fill=0.15)))
    assert found.direction is not None
    assert found.direction.angle(light) < 8
    assert found.softness == pytest.approx(0.15 / 1.15, abs=0.08)
    assert found.warmth is not None
    assert min(found.reliability, found.softness_reliability, found.warmth_reliability) > 0.5


def test_what_is_not_reliable_is_not_said():
    found = estimate(points_of(photo_of(direction(40, 30), fill=50)))
    assert found.direction is None
    assert found.warmth is None
    assert max(found.reliability, found.warmth_reliability) < 0.5
    assert found.softness is not None
    assert found.softness > 0.7
