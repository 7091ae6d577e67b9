import cv2
import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry.mesh_seam import mask_rim
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def lit(scene, azimuth=20):
    key = 0.3 + 0.7 * np.maximum(scene.toward(direction(35, azimuth)), 0)
    return np.repeat(key[..., None], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize("azimuth", [20, 160, 250])
def test_the_join_of_face_and_silhouette_is_no_rim(azimuth):
    scene = portrait_scene()
    assert 0.1 < mask_rim(scene, lit(scene, azimuth)) < 1.5


def test_a_mask_laid_over_the_light_is_one():
    scene = portrait_scene()
    hull = cv2.convexHull(np.rint(scene.faces[0][:, :2]).astype(np.int32))
    mask = cv2.GaussianBlur(cv2.fillConvexPoly(np.zeros(scene.shape, np.float32), hull, 1.0), (0, 0), 1)
    assert mask_rim(scene, lit(scene) * (1 + 0.4 * mask[..., None])) > 2


def test_without_a_face_or_light_there_is_none():
    bare = portrait_scene(with_face=False)
    assert mask_rim(bare, lit(bare)) is None
    scene = portrait_scene()
    assert mask_rim(scene, np.ones((*scene.shape, 3), np.float32)) == 0


def test_every_digit_is_the_same_wherever_arrays_lie_in_memory(monkeypatch):
    monkeypatch.setattr("relight_assets.stages.degraded.geometry.mesh_seam.rounded", lambda value: value)
    scene = portrait_scene()
    rng = np.random.default_rng(0)
    for azimuth in (20, 160, 250):
        light = lit(scene, azimuth)
        others = []  # what is allocated between two calls moves the arrays of the next
        found = set()
        for _ in range(60):
            others = [*others[-20:], np.empty(rng.integers(1, 400_000), np.uint8)]
            found.add(mask_rim(scene, light))
        assert len(found) == 1
