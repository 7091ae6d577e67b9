import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry import source_light
from relight_assets.stages.degraded.geometry.source_light import fit

SIDE = 60


def ball():
    """The normals of a ball, and where they are."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0)).astype(np.float32)
    return (x, y, z), z > 0.5


def shaded(light, ambient=0.3):
    (x, y, z), _ = ball()
    return np.log(ambient + np.maximum(x * light.x + y * light.y + z * light.z, 0)).astype(np.float32)


@pytest.mark.parametrize(("elevation", "azimuth"), [(30, 0), (50, 120), (70, 200), (20, 300)])
def test_a_known_light_is_found(elevation, azimuth):
    light = direction(elevation, azimuth)
    found = fit(shaded(light), *ball())
    assert found.direction is not None
    assert found.direction.angle(light) < 8
    assert found.reliability > 0.8


def test_a_cast_shadow_and_paint_hardly_turn_it():
    light = direction(40, 30)
    values = shaded(light)
    values[35:50, 12:30] -= 1.5
    values[20:24, 20:45] += 0.8
    found = fit(values, *ball())
    assert found.direction is not None
    assert found.direction.angle(light) < 12


def test_flat_light_noise_and_few_pixels_say_nothing():
    normals, where = ball()
    noise = np.random.default_rng(0).standard_normal((SIDE, SIDE)).astype(np.float32)
    assert fit(np.zeros((SIDE, SIDE), np.float32), normals, where).direction is None
    unsure = fit(noise, normals, where)
    assert unsure.direction is None
    assert unsure.reliability < 0.2
    few = np.zeros_like(where)
    few[30, 10:50] = True
    assert fit(shaded(direction(30, 0)), normals, few) == source_light.UNKNOWN


def test_a_light_behind_the_face_is_said_to_stand_beside_it():
    (x, _, z), where = ball()
    found = fit(x - z, *ball())
    assert found.direction is not None
    assert found.direction.z == 0
    assert np.isclose(found.direction.x, 1, atol=1e-3)
    assert where.any()
