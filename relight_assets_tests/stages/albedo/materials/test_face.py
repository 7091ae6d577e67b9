import numpy as np
import pytest

from relight_assets.stages.albedo.materials.face import CHIN, TOP, Face
from relight_assets_tests.stages.albedo.materials.heads import head


def test_the_hull_holds_the_features_and_distances_start_at_its_edge():
    _, face = head().small
    assert np.all(face.hull[face.features > 0] == 1)
    assert np.all(face.features[face.lips > 0] == 1)
    assert 0.02 < face.features.mean() / face.hull.mean() < 0.5
    assert face.inward[face.hull == 0].max() == 0
    assert face.outward[face.hull == 1].max() == 0
    assert face.inward.max() == pytest.approx(0.40, abs=0.05)  # half of the width, in heights
    assert np.count_nonzero(face.eroded(0.1)) < np.count_nonzero(face.hull)


def test_down_is_from_forehead_to_chin_however_a_head_is_turned():
    _, face = head().small
    for points in (face.points, face.points[:, ::-1].copy()):
        turned = Face(points, face.shape)
        down = turned.downward
        for mark, value in ((TOP, 0.0), (CHIN, 1.0)):
            column, row = np.rint(points[mark]).astype(int)
            assert down[row, column] == pytest.approx(value, abs=0.02)


def test_what_is_around_a_hull_holds_it_and_a_margin_within_the_picture():
    _, face = head().small
    rows, columns = face.around(0.1)
    inside = np.zeros_like(face.hull)
    inside[rows, columns] = 1
    assert np.all(inside[face.outward < 0.09] == 1)
    assert face.outward[rows, columns].max() < 0.5
    rows, columns = face.around(9.0)
    assert face.hull[rows, columns].shape == face.hull.shape


def test_a_mesh_that_is_one_point_or_outside_is_no_fault():
    for points in (np.zeros((468, 2), np.float32), np.full((468, 2), 1e4, np.float32)):
        face = Face(points, (20, 30))
        assert face.height >= 1
        assert np.isfinite(face.downward).all()
        assert np.isfinite(face.soft_hull(0.05)).all()
