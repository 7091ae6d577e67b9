import numpy as np
import pytest

from relight_assets.stages.degraded.environments import sphere


def at(*vector):
    return tuple(np.full((1, 1), part, np.float32) for part in vector)


def test_the_pixels_of_a_panorama_cover_the_sphere_once():
    vectors, angles = sphere.directions(32, 64)
    assert float(angles.sum()) == pytest.approx(4 * np.pi, rel=1e-3)
    assert np.linalg.norm(vectors, axis=2) == pytest.approx(1, abs=1e-5)
    assert vectors[16, 32] == pytest.approx([0, 0, 1], abs=0.1)  # its middle is where the camera stands
    assert vectors[0, 32] == pytest.approx([0, -1, 0], abs=0.1)
    assert vectors[16, 48] == pytest.approx([1, 0, 0], abs=0.1)


def test_the_harmonics_are_orthonormal():
    vectors, angles = sphere.directions(64, 128)
    harmonics = sphere.basis(*(vectors[..., axis] for axis in range(3))).reshape(9, -1)
    assert (harmonics * angles.ravel()) @ harmonics.T == pytest.approx(np.eye(9), abs=5e-3)


def test_an_even_sphere_lights_every_normal_alike():
    harmonics = sphere.irradiance_of(np.full((32, 64, 3), 0.5, np.float32))
    for normal in ((0, 0, 1), (0.6, 0, 0.8), (0, -0.8, 0.6)):
        assert sphere.lit(harmonics, at(*normal))[0, 0] == pytest.approx([0.5] * 3, rel=1e-2)


def test_irradiance_of_order_2_is_near_the_integral():
    vectors, angles = sphere.directions(32, 64)
    radiance = np.exp(2.0 * (vectors @ np.array([0.6, -0.48, 0.64], np.float32)))[..., None].repeat(3, axis=2)
    harmonics = sphere.irradiance_of(radiance.astype(np.float32))
    for normal in ((0, 0, 1), (0.6, -0.48, 0.64), (-0.6, 0.0, 0.8)):
        cosine = np.maximum(vectors @ np.array(normal, np.float32), 0)
        exact = float((radiance[..., 0] * cosine * angles).sum()) / np.pi
        assert float(sphere.lit(harmonics, at(*normal))[0, 0, 0]) == pytest.approx(exact, rel=0.05)


def test_a_blur_keeps_what_is_even_and_spreads_a_point():
    even = sphere.blurred(np.full((16, 32, 3), 2.0, np.float32), 20.0)
    assert even == pytest.approx(2.0, rel=1e-4)
    point = np.zeros((16, 32, 3), np.float32)
    point[8, 16] = 100
    wide, narrow = (sphere.blurred(point, power) for power in (8.0, 60.0))
    assert wide.max() < narrow.max() < 100
    assert np.unravel_index(int(narrow[..., 0].argmax()), (16, 32)) == (8, 16)


def test_values_are_looked_up_by_direction_also_behind():
    vectors, _ = sphere.directions(32, 64)
    for axis in range(3):
        plane = np.repeat(vectors[..., axis : axis + 1], 3, axis=2).copy()
        for vector in ((0.0, 0.0, 1.0), (0.6, -0.64, 0.48), (-0.1, 0.2, -0.97), (0.02, 0.0, -0.9998)):
            unit = np.array(vector) / np.linalg.norm(vector)
            assert sphere.looked_up(plane, *at(*unit))[0, 0] == pytest.approx([unit[axis]] * 3, abs=0.05)
