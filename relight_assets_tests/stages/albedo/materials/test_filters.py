import numpy as np
import pytest

from relight_assets.stages.albedo.materials.filters import blurred, disc, ramp, weighted_mean, weighted_means


def test_a_ramp_is_flat_outside_and_even_between():
    values = np.float32([[-5, 1, 1.5, 2, 9]])
    assert ramp(values, 1, 2) == pytest.approx(np.float32([[0, 0, 0.5, 1, 1]]))
    assert ramp(values, 1, 2).dtype == np.float32
    assert np.array_equal(values, np.float32([[-5, 1, 1.5, 2, 9]]))


@pytest.mark.parametrize("sigma", [2.0, 6.0, 20.0, 45.0])
def test_a_blur_keeps_the_mean_and_has_the_asked_width(sigma):
    image = np.zeros((401, 401), np.float32)
    image[200, 200] = 1e4
    found = blurred(image, sigma)
    assert found.sum() == pytest.approx(1e4, rel=0.02)
    offsets = np.arange(401) - 200
    assert np.sqrt((found.sum(axis=0) * offsets**2).sum() / found.sum()) == pytest.approx(sigma, rel=0.06)


def test_what_is_narrow_is_left():
    image = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    assert np.array_equal(blurred(image, 0.2), image)


def test_a_weighted_mean_does_not_see_what_has_no_weight():
    values = np.full((60, 60), 3.0, np.float32)
    weight = np.ones_like(values)
    values[:, 30:], weight[:, 30:] = 100.0, 0.0
    found = weighted_mean(values, weight, 4.0)
    assert found[:, :30] == pytest.approx(np.full((60, 30), 3.0), rel=1e-3)
    assert abs(found[30, 59]) < 1e-2


def test_means_of_several_planes_are_those_of_each():
    rng = np.random.default_rng(0)
    planes, weight = list(rng.random((3, 40, 50), np.float32)), rng.random((40, 50), np.float32)
    found = weighted_means(planes, weight, 5.0, 1e-2)
    assert len(found) == 3
    for plane, mean in zip(planes, found, strict=True):
        assert mean == pytest.approx(weighted_mean(plane, weight, 5.0, 1e-2), abs=1e-6)


def test_a_disc_has_at_least_a_pixel_around_its_centre():
    assert disc(0.1).shape == (3, 3)
    assert disc(4.0).shape == (9, 9)
