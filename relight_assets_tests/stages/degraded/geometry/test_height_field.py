import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry import height_field
from relight_assets.stages.degraded.geometry.filters import inward_distance
from relight_assets.stages.degraded.geometry.head import head_of_mesh
from relight_assets.stages.degraded.geometry.visibility import sight
from relight_assets_tests.stages.portraits import NO_TRIANGLES, face_mesh, portrait


def disc(size=128, radius=40):
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    return ((x - size / 2) ** 2 + (y - size / 2) ** 2 < radius**2).astype(np.float32)


def test_an_inflated_disc_is_a_dome():
    # For a disc and no screening u = (r^2 - d^2) / 4; the silhouette lies half a pixel out.
    u = height_field.inflate(disc(), 1e6)
    assert u[64, 64] == pytest.approx(40.5**2 / 4, rel=0.05)
    assert u[64, 64 + 20] == pytest.approx((40.5**2 - 20**2) / 4, rel=0.05)
    assert u[disc() == 0].max() == 0


def test_the_image_border_is_no_silhouette():
    strip = np.zeros((96, 64), np.float32)
    strip[:, 16:48] = 1
    u = height_field.inflate(strip, 1e6)
    assert u[0, 32] == pytest.approx(u[48, 32], rel=0.02)
    assert u[48, 32] == pytest.approx(16.5**2 / 2, rel=0.04)


def test_normals_are_unit_and_point_to_the_camera():
    y, x = np.mgrid[0:32, 0:32].astype(np.float32)
    n_x, n_y, n_z = height_field.normals(0.5 * x - 0.25 * y)
    length = np.sqrt(n_x**2 + n_y**2 + n_z**2)
    assert length == pytest.approx(np.ones((32, 32)), abs=1e-5)
    inner = np.s_[4:-4, 4:-4]
    assert (n_x / n_z)[inner] == pytest.approx(-0.5, rel=0.02)
    assert (n_y / n_z)[inner] == pytest.approx(0.25, rel=0.02)
    steep = height_field.normals(100 * x)
    assert steep[2][inner] == pytest.approx(1 / np.hypot(1, height_field.STEEPEST), rel=0.01)


def test_a_mesh_is_drawn_with_the_nearest_on_top():
    points = np.array([[2, 2, 0], [30, 2, 0], [2, 30, 28], [2, 2, 9], [30, 2, 9], [2, 30, 9]], np.float32)
    depth, covered = height_field.rasterise(points, np.array([[3, 4, 5], [0, 1, 2]], np.int32), (32, 32))
    assert covered[4, 4]
    assert not covered[31, 31]
    # The sloping triangle is nearer on the whole, so it is painted last, everywhere.
    assert depth[4, 10] == pytest.approx(9.0) or depth[4, 10] == pytest.approx(2.0)
    assert depth[~covered].max() == 0


def test_depth_is_interpolated():
    points = np.array([[0, 0, 0], [40, 0, 40], [0, 40, 80]], np.float32)
    depth, _ = height_field.rasterise(points, np.array([[0, 1, 2]], np.int32), (48, 48))
    assert depth[5, 10] == pytest.approx(10 + 10, abs=1e-3)


def test_a_face_seen_from_the_side_or_outside_is_no_trouble():
    points, triangles = face_mesh()
    edge_on = points * np.array([0, 1, 1], np.float32) + np.array([60, 0, 0], np.float32)
    for mesh in (edge_on, points + 5000, points * 0, points * 100):
        depth, _ = height_field.rasterise(mesh.astype(np.float32), triangles, (64, 64))
        assert np.isfinite(depth).all()


def test_the_face_replaces_the_dome_and_meets_it_without_a_rim():
    person = portrait()
    mask = person.alpha.astype(np.float32) / 255
    size = float(np.sqrt((mask > 0.5).sum()))
    points, triangles = face_mesh()
    plain, none, _ = height_field.height_field(mask, [], NO_TRIANGLES, size)
    joined, share, head = height_field.height_field(mask, [points], triangles, size)
    assert none.max() == 0
    assert share.max() > 0.95
    # The nose stands out only with the mesh.
    nose, beside = (84, 80), (84, 66)
    assert joined[nose] - joined[beside] > plain[nose] - plain[beside] + 2
    assert (head.x, head.y) == pytest.approx((80, 84), abs=8)
    # F19: shading across the outline of the mesh is no steeper than beside it.
    step = np.hypot(*np.gradient(height_field.normals(joined)[2]))
    _, covered = height_field.rasterise(points, triangles, mask.shape)
    inside, outside = inward_distance(covered), inward_distance(~covered)
    rim = step[(inside + outside <= 2) & (mask > 0.9)].mean()
    near = [step[(d > 3) & (d <= 7) & (mask > 0.9)].mean() for d in (inside, outside)]
    assert rim < 1.5 * max(near)


@pytest.mark.parametrize("fill", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (64, 64)])
def test_empty_and_full_masks(fill, shape):
    height, share, _ = height_field.height_field(np.full(shape, fill, np.float32), [], NO_TRIANGLES, 10.0)
    assert np.isfinite(height).all()
    assert share.max() == 0


def silhouette():
    return portrait().alpha.astype(np.float32) / 255


def test_every_face_has_its_own_dome_and_the_first_is_the_head():
    points, triangles = face_mesh()
    pair = [points + np.float32([shift, 0, 0]) for shift in (0, 160)]
    mask = np.concatenate([silhouette(), silhouette()], axis=1)
    height, share, head = height_field.height_field(mask, pair, triangles, 120.0)
    assert share[:, 160:].max() == pytest.approx(share[:, :160].max(), abs=0.01)
    assert height[80, 240] == pytest.approx(height[80, 80], rel=0.03)
    assert head == head_of_mesh(pair[0])


def test_faces_beside_the_mask_are_other_peoples():
    points, _ = face_mesh()
    mask = silhouette()
    half = points + np.float32([100, 0, 0])
    assert len(height_field.in_mask(mask, [points + np.float32([500, 0, 0]), points, half])) == 1
    assert height_field.in_mask(np.zeros_like(mask), [points]) == []


def of_portrait():
    mask = portrait().alpha.astype(np.float32) / 255
    size = float(np.sqrt((mask > 0.5).sum()))
    points, triangles = face_mesh()
    return mask, height_field.height_field(mask, [points], triangles, size)[0]


def test_a_chin_stands_out_from_the_neck_and_shades_it_from_above():
    _, height = of_portrait()
    length = 2 * 1.3 * 0.20 * 160  # of the mesh, whose chin is at row 126
    chin, neck = np.s_[122:125, 74:86], np.s_[134:140, 74:86]
    assert height[chin].mean() - height[neck].mean() > 0.25 * length
    from_above = sight(height, direction(40, 90), 0.1)
    assert from_above[neck].max() < 0.2
    assert from_above[66:76, 52:60].min() > 0.9  # a cheek


def test_a_neck_does_not_lie_behind_what_is_beside_the_person():
    # It would be shaded by nothing, in the steps of a small height field.
    mask, height = of_portrait()
    assert height[mask > 0.5].min() > 0
    assert height[mask <= 0.5].max() == 0


def test_a_body_is_flatter_than_it_is_wide():
    strip = np.zeros((256, 160), np.float32)
    strip[:, 40:120] = 1
    strip[:40, 70:90] = 1
    height, _, head = height_field.height_field(strip, [], NO_TRIANGLES, 70.0)
    below = height[int(head.y + 2 * head.half_height) :][-20:, 80]
    assert 0.4 * 40 < below.mean() < 0.65 * 40
