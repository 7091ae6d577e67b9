import math

import numpy as np
import pytest

from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import Direction, direction, draw_direction

COUNT = 6000


def lights(elevations, *, count=COUNT, away_from=None, **changes):
    rng = stream(0, "", 0, "lights")
    sampling = LightSampling(**changes)
    return np.array([draw_direction(rng, elevations, sampling, away_from).vector for _ in range(count)])


def test_conventions():
    assert direction(90, 0).vector == pytest.approx((0, 0, 1))
    assert direction(0, 0).vector == pytest.approx((1, 0, 0))
    assert direction(0, 90).vector == pytest.approx((0, -1, 0))


def test_unit_length_and_within_range():
    found = lights((20.0, 60.0))
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(COUNT))
    assert found[:, 2].min() >= math.sin(math.radians(20)) - 1e-9
    assert found[:, 2].max() <= math.sin(math.radians(60)) + 1e-9


def test_even_in_area():
    found = lights((10.0, 80.0), from_below=1.0)
    low, high = math.sin(math.radians(10)), math.sin(math.radians(80))
    heights, _ = np.histogram(found[:, 2], bins=8, range=(low, high))
    turns, _ = np.histogram(np.arctan2(found[:, 1], found[:, 0]), bins=12, range=(-math.pi, math.pi))
    assert heights / (COUNT / 8) == pytest.approx(np.ones(8), abs=0.15)
    assert turns / (COUNT / 12) == pytest.approx(np.ones(12), abs=0.15)


def test_lights_from_below_are_rarer():
    below = (lights((10.0, 80.0), from_below=0.35)[:, 1] > 0).mean()
    assert below == pytest.approx(0.35 / 1.35, abs=0.02)
    assert (lights((10.0, 80.0), from_below=0.0)[:, 1] <= 1e-9).all()


def test_azimuth_range_is_kept():
    found = lights((10.0, 80.0), azimuth_range=(0.0, 90.0))
    assert (found[:, 0] >= -1e-9).all()
    assert (found[:, 1] <= 1e-9).all()


def test_a_range_that_is_all_below_still_gives_lights():
    found = lights((10.0, 80.0), azimuth_range=(200.0, 340.0), from_below=0.0)
    assert (found[:, 1] > 0).all()


def test_no_light_stands_near_the_photos_own_and_the_rest_stays_even():
    source = direction(45, 90)
    found = lights((10.0, 80.0), from_below=1.0, away_from=source, min_light_angle=40.0)
    angles = np.degrees(np.arccos(np.clip(found @ np.array(source.vector), -1, 1)))
    assert angles.min() >= 40
    below = found[found[:, 1] > 0]  # hardly any of which is near it
    turns, _ = np.histogram(np.arctan2(below[:, 1], below[:, 0]), bins=6, range=(0, math.pi))
    assert turns / (len(below) / 6) == pytest.approx(np.ones(6), abs=0.15)
    assert len(below) > 0.55 * COUNT


def test_where_no_place_is_far_enough_the_farthest_is_taken():
    source, room = direction(60, 90), {"azimuth_range": (85.0, 95.0), "min_light_angle": 90.0}
    found = lights((30.0, 80.0), count=50, away_from=source, **room)
    assert np.median(np.degrees(np.arcsin(found[:, 2]))) == pytest.approx(30, abs=2)


def test_an_angle_of_0_draws_as_if_nothing_were_known():
    free = lights((10.0, 80.0), count=50)
    assert np.array_equal(free, lights((10.0, 80.0), count=50, away_from=Direction(0, -1, 0), min_light_angle=0.0))
    assert np.array_equal(free, lights((10.0, 80.0), count=50, min_light_angle=90.0))


def test_angles():
    assert direction(0, 0).angle(direction(0, 90)) == pytest.approx(90)
    assert direction(30, 10).angle(direction(30, 10)) == pytest.approx(0, abs=1e-5)
