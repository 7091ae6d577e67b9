"""The shape from maps of a sphere, whose normals are known."""

import cv2
import numpy as np
import pytest

from relight_assets.stages.degraded.geometry import height_field
from relight_assets.stages.degraded.geometry.scene import build
from relight_assets.stages.degraded.geometry.shape_map import ShapeMap, shape_of
from relight_assets_tests.stages.portraits import face_mesh

SIDE, RADIUS, LOW = 300, 110.0, 160
NO_TRIANGLES = np.zeros((0, 3), np.int32)


class Sphere:
    def __init__(self, x=0.0, y=0.0):
        down, across = np.mgrid[:SIDE, :SIDE].astype(np.float32) - SIDE / 2 + 0.5
        down, across = down - y, across - x
        self.distance = np.hypot(across, down) / RADIUS
        self.alpha = (self.distance < 1).astype(np.float32)
        self.height = np.sqrt(np.maximum(RADIUS**2 - (self.distance * RADIUS) ** 2, 0)).astype(np.float32)
        self.normals = np.dstack([across, down, self.height]) / np.float32(RADIUS)
        self.normals[self.alpha == 0] = (0.3, 0.9, 0.1)  # the background's, which must not matter
        self.like = cv2.resize(self.height, (LOW, LOW), interpolation=cv2.INTER_AREA) * np.float32(LOW / SIDE)

    def errors(self, height, within=0.85):
        """Angles between the normals of a height field and the sphere's, degrees."""
        found = np.dstack(height_field.normals(height))
        cosine = np.clip((found * self.normals).sum(axis=-1), -1, 1)
        return np.degrees(np.arccos(cosine))[self.distance < within]

    def given(self, kind, image, like=None):
        like = self.like if like is None else like
        shape_map = ShapeMap(kind, image.astype(np.float32))
        return shape_of(shape_map, alpha=self.alpha, like=like, faces=[], triangles=NO_TRIANGLES)


@pytest.mark.parametrize("at", [(0.0, 0.0), (30.0, -35.0)])
def test_normals_give_back_the_sphere(at):
    sphere = Sphere(*at)
    given = sphere.given("normals", sphere.normals)
    assert np.median(sphere.errors(given.height)) < 0.3
    assert sphere.errors(given.height).max() < 3
    inner = sphere.distance < 0.8
    assert np.ptp(given.height[inner]) == pytest.approx(np.ptp(sphere.height[inner]), rel=0.02)


def test_normals_of_8_bits_are_nearly_as_good():
    sphere = Sphere()
    coarse = np.round((sphere.normals + 1) / 2 * 255) / 255 * 2 - 1
    assert np.median(sphere.errors(sphere.given("normals", coarse).height)) < 1


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.004, 20.0), (-3.0, 7.0)])
def test_depth_is_brought_to_the_range_of_mask_and_mesh(scale, offset):
    sphere = Sphere()
    depth = sphere.height * np.float32(abs(scale)) + np.float32(offset)
    given = sphere.given("depth", depth)
    assert np.median(sphere.errors(given.height)) < 0.5
    assert sphere.errors(given.height).max() < 4
    assert given.reduced.shape == sphere.like.shape
    assert np.array_equal(given.low, given.reduced)


def test_depth_beside_an_inflated_mask_is_within_a_few_degrees():
    sphere = Sphere()
    low_alpha = cv2.resize(sphere.alpha, (LOW, LOW), interpolation=cv2.INTER_AREA)
    size = np.sqrt(np.count_nonzero(low_alpha > 0.5))
    like, _, _ = height_field.height_field(low_alpha, [], NO_TRIANGLES, size)
    assert np.median(sphere.errors(sphere.given("depth", sphere.height, like).height)) < 6


def test_what_lies_behind_the_person_is_no_cliff():
    sphere = Sphere()
    behind = np.where(sphere.alpha > 0, sphere.height, -900)
    height = sphere.given("depth", behind).height
    assert height.min() > 0
    assert np.median(sphere.errors(height)) < 0.5


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_nobody_everybody_and_no_depth_at_all(alpha):
    sphere = Sphere()
    sphere.alpha = np.full_like(sphere.alpha, alpha)
    for kind, image in (("depth", np.zeros((SIDE, SIDE))), ("normals", np.zeros((SIDE, SIDE, 3)))):
        given = sphere.given(kind, image)
        assert np.isfinite(given.height).all()
        assert np.isfinite(given.low).all()


def test_a_part_is_cut_where_it_lies_at_any_size():
    rows, columns = np.mgrid[:200, :120].astype(np.float32) + 0.5
    ramp = ShapeMap("depth", columns / 120 + 10 * rows / 200)
    for size in ((33, 44), (300, 400)):
        part = ramp.part((0.25, 0.5), (0.5, 0.25), size).image
        across, down = (np.arange(size[0]) + 0.5) / size[0], (np.arange(size[1]) + 0.5) / size[1]
        expected = 0.25 + 0.5 * across[None] + 10 * (0.5 + 0.25 * down[:, None])
        assert part.shape == size[::-1]
        assert np.abs(part - expected)[2:-2, 2:-2].max() < 0.03


def built(shape_map=None, **more):
    rng = np.random.default_rng(0)
    sphere = Sphere()
    gray = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    points, triangles = face_mesh()
    points = points * np.float32(0.6) + np.float32([90, 60, 0])
    return build(
        alpha=sphere.alpha,
        albedo=gray,
        photo=gray,
        faces=[points],
        triangles=triangles,
        rng=rng,
        shape_map=shape_map,
        **more,
    )


def test_a_scene_has_the_given_shape_with_or_without_the_face():
    sphere = Sphere()
    scene = built(ShapeMap("normals", sphere.normals), join_faces=False)
    assert np.median(sphere.errors(scene.height, 0.8)) < 1
    assert not scene.low_height[0, 0]
    joined = built(ShapeMap("normals", sphere.normals))
    share = joined.face_share > 0.9
    assert np.abs(joined.height - scene.height)[share].mean() > 1
    assert np.array_equal(joined.face_share, scene.face_share)
