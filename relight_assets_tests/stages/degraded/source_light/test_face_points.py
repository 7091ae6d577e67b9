import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.source_light.face_points import POINTS, face_points
from relight_assets_tests.stages.degraded.source_light.made_face import SIDE, photo_of, points_of, shape


def test_points_are_spread_over_the_face_and_know_where_they_look():
    points = points_of(photo_of(direction(40, 0)))
    assert points.light.shape == points.trust.shape == (POINTS,)
    assert np.linalg.norm(points.normals, axis=1) == pytest.approx(np.ones(POINTS), abs=1e-5)
    assert np.ptp(points.normals[:, 0]) > 1.5
    assert points.normals.mean(axis=0)[:2] == pytest.approx([0, 0], abs=0.05)
    right, left = points.normals[:, 0] > 0.3, points.normals[:, 0] < -0.3
    assert points.light[right].mean() > points.light[left].mean() + 0.5
    assert points.colors[right].mean() > points.colors[left].mean()


def test_a_photo_may_have_other_pixels_than_the_shape():
    small = points_of(photo_of(direction(40, 0)))
    large = face_points(
        photo_of(direction(40, 0)).repeat(3, axis=0).repeat(3, axis=1), np.ones((3 * SIDE, 3 * SIDE), np.float32),
        **shape(),
    )  # fmt: skip
    assert large is not None
    assert large.light == pytest.approx(small.light, abs=0.05)
    assert np.array_equal(large.normals, small.normals)


def test_the_horizon_rises_toward_what_stands_there():
    free = points_of(photo_of(direction(40, 0))).horizon
    walled = shape()
    walled["height"] = walled["height"].copy()
    walled["height"][:, SIDE - 8 :] = 400
    points = face_points(photo_of(direction(40, 0)), np.ones((SIDE, SIDE), np.float32), **walled)
    assert points is not None
    near = points.normals[:, 0] > 0.5
    assert (points.horizon[near, 0] > free[near, 0] + 1).all()
    assert points.horizon[near, 12] == pytest.approx(free[near, 12], abs=1e-4)


@pytest.mark.parametrize("skin", [0.0, 0.2])
def test_without_enough_skin_there_are_no_points(skin):
    photo = photo_of(direction(40, 0))
    assert face_points(photo, np.full(photo.shape[:2], skin, np.float32), **shape()) is None
    nowhere = shape() | {"on_face": np.zeros((SIDE, SIDE), np.bool_)}
    assert face_points(photo, np.ones(photo.shape[:2], np.float32), **nowhere) is None
