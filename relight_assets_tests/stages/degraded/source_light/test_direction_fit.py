from dataclasses import replace

import numpy as np
import pytest

from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.source_light.catch_lights import MirroredLamp
from relight_assets.stages.degraded.source_light.direction_fit import fit_direction
from relight_assets_tests.stages.degraded.source_light.made_face import photo_of, points_of


@pytest.mark.parametrize(("elevation", "azimuth"), [(30, 0), (50, 120), (75, 200), (20, 300), (12, 90)])
@pytest.mark.parametrize("fill", [0.05, 0.4])
def test_a_known_light_is_found(elevation, azimuth, fill):
    light = direction(elevation, azimuth)
    found = fit_direction(points_of(photo_of(light, fill=fill)))
    assert Direction(*found.direction).angle(light) < 8
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    assert found.reliability > 0.8


def test_a_cast_shadow_and_paint_hardly_turn_it():
    light = direction(40, 30)
    photo = photo_of(light)
    photo[70:90, 30:60] *= 0.25
    photo[38:44, 40:80] *= 2
    found = fit_direction(points_of(photo))
    assert Direction(*found.direction).angle(light) < 12
    points = points_of(photo)
    assert found.trust.min() < 0.2
    assert 0.9 < found.trust.max() <= points.trust.max()


def test_flat_light_and_noise_say_nothing_of_the_direction():
    points = points_of(photo_of(direction(40, 0), fill=50))
    flat = fit_direction(points)
    assert flat.reliability < 0.4
    assert flat.fill_share > 0.7
    noise = np.random.default_rng(0).standard_normal(points.light.size).astype(np.float32)
    assert fit_direction(replace(points, light=noise)).reliability < 0.5


def test_more_fill_is_a_larger_share_of_fill():
    shares = [fit_direction(points_of(photo_of(direction(40, 20), fill=fill))).fill_share for fill in (0.05, 0.3, 1.5)]
    assert shares == sorted(shares)
    assert shares == pytest.approx([fill / (1 + fill) for fill in (0.05, 0.3, 1.5)], abs=0.1)


def test_the_lamp_has_its_largest_share_where_it_is_faced():
    points = points_of(photo_of(direction(20, 0)))
    share = fit_direction(points).key_share
    assert ((share >= 0) & (share <= 1)).all()
    assert share[points.normals[:, 0] > 0.7].min() > 0.7
    assert share[points.normals[:, 0] < -0.5].max() < 0.3


def test_eyes_tell_where_skin_does_not_and_are_outvoted_where_it_does():
    light = direction(45, 150)
    half = (light.x / np.sqrt(2 + 2 * light.z), light.y / np.sqrt(2 + 2 * light.z))
    seen = MirroredLamp(*half)
    flat = points_of(photo_of(light, fill=6))
    alone, together = fit_direction(flat), fit_direction(flat, seen)
    assert Direction(*together.direction).angle(light) < Direction(*alone.direction).angle(light)
    assert together.reliability > alone.reliability
    sure = points_of(photo_of(light, fill=0.05))
    against = fit_direction(sure, MirroredLamp(-half[0], half[1]))
    assert Direction(*against.direction).angle(light) < 8
