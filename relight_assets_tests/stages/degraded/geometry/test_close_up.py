import numpy as np
import pytest

from relight_assets.stages.degraded.geometry.close_up import CLOSE_UP_SIDE, close_up, enlarged_part
from relight_assets.stages.degraded.geometry.head import Head
from relight_assets_tests.stages.degraded.scenes import face_scene, named_mesh

HEAD = Head(80.0, 80.0, 40.0, 50.0, (0.0, -1.0))


@pytest.mark.parametrize("enlarged", [1, 3, 12])
def test_a_close_up_is_as_large_as_the_photo_has_it_up_to_a_limit(enlarged):
    near = face_scene(enlarged=enlarged).close_up
    rows, columns = near.part
    width = columns.stop - columns.start
    assert near.photo_light.shape[1] == pytest.approx(near.scale * width)
    assert max(near.photo_light.shape) <= CLOSE_UP_SIDE
    assert near.scale == pytest.approx(min(enlarged, CLOSE_UP_SIDE / (rows.stop - rows.start)), rel=0.02)


def test_it_shows_the_same_part_of_the_photo():
    scene = face_scene(enlarged=4)
    near = scene.close_up
    there = near.reduced(near.photo_light)
    assert np.abs(there - scene.photo_light[near.part]).mean() < 0.01
    ramp = np.tile(np.arange(160, dtype=np.float32), (192, 1))
    assert near.reduced(near.enlarged(ramp)) == pytest.approx(ramp[near.part], abs=0.6)


def test_parts_of_larger_versions_tile_without_gaps():
    parts = [enlarged_part((slice(0, 9), slice(a, b)), (9, 7), (100, 53)) for a, b in ((0, 3), (3, 7))]
    assert parts[0] == (slice(0, 100), slice(0, 23))
    assert parts[1][1] == slice(23, 53)


@pytest.mark.parametrize("where", [(-500.0, 20.0), (900.0, 900.0)])
def test_a_face_beside_the_image_leaves_a_pixel_of_it(where):
    light = np.ones((40, 30), np.float32)
    near = close_up(np.zeros((80, 60, 3), np.uint8), light, [named_mesh()[0] + (*where, 0)], HEAD)
    assert min(near.photo_light.shape) >= 1
    assert light[near.part].size >= 1


def test_without_a_face_it_is_the_head_and_without_a_larger_photo_the_same_pixels():
    light = np.random.default_rng(0).random((192, 160), np.float32)
    near = close_up(None, light, [], HEAD)
    assert (near.part[0].start, near.part[1].start, near.scale) == (28, 28, 1.0)
    assert np.array_equal(near.photo_light, light[near.part])


@pytest.mark.parametrize("enlarged", [1, 4])
def test_halved_it_is_half_the_working_size_however_large_the_photo(enlarged):
    scene = face_scene(enlarged=enlarged)
    half = scene.close_up.halved(scene.photo_light)
    rows, columns = half.part
    assert half.part == scene.close_up.part
    assert half.photo_light.shape == ((rows.stop - rows.start) // 2, (columns.stop - columns.start) // 2)
    assert half.scale == pytest.approx(0.5, rel=0.02)
    ramp = np.tile(np.arange(160, dtype=np.float32), (192, 1))
    assert half.reduced(half.enlarged(ramp)) == pytest.approx(ramp[half.part], abs=1.6)
