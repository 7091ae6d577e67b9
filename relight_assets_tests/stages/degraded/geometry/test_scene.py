import numpy as np
import pytest

from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry.scene import once_a_scene
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


@pytest.mark.parametrize("with_face", [True, False])
def test_planes_fit_and_are_finite(with_face):
    scene = portrait_scene(with_face=with_face)
    planes = [
        scene.alpha,
        scene.photo_light,
        scene.height,
        scene.bare_skin,
        scene.inward,
        *scene.normals,
        *scene.smooth_normals(0.01, 0.15),
    ]
    for plane in planes:
        assert plane.shape == scene.shape
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()


def test_smoother_normals_turn_less_from_pixel_to_pixel():
    scene = portrait_scene()
    rough, smooth = (
        np.abs(np.diff(planes[0], axis=1)).mean() for planes in (scene.normals, scene.smooth_normals(0.03))
    )
    assert smooth < 0.9 * rough


def test_light_from_the_left_lights_the_left():
    scene = portrait_scene()
    lit = scene.toward(direction(30, 180))
    assert lit[80, 50] > lit[80, 110] + 0.3


def test_the_key_fades_to_its_mean_on_the_silhouette():
    scene = portrait_scene()
    key = np.maximum(scene.toward(direction(20, 0)), 0)
    faded = scene.fade_rim(key)
    on_edge = scene.inward == 0
    assert faded[on_edge] == pytest.approx(float(key[scene.core].mean()), abs=1e-4)
    deep = scene.inward > 0.03 * scene.size
    assert np.allclose(faded[deep], key[deep], atol=1e-5)


def test_black_hair_is_dark_and_black_skin_is_not():
    scene = face_scene(tone=0.1)
    hair, cheek, shirt = np.s_[36:44, 70:90], np.s_[84:94, 58:64], np.s_[170:180, 70:90]
    assert scene.dark[hair].min() > 0.9
    assert scene.dark[cheek].max() < 0.2
    assert scene.dark[shirt].max() == 0
    assert face_scene().dark[cheek].max() == 0


def test_what_is_kept_with_a_scene_is_computed_once_for_each():
    asked = []

    @once_a_scene
    def alpha(scene):
        asked.append(scene)
        return scene.alpha

    first, second = portrait_scene(), portrait_scene(with_face=False)
    assert alpha(first) is alpha(first) is first.alpha
    assert alpha(second) is second.alpha
    assert [each is scene for each, scene in zip(asked, (first, second), strict=True)] == [True, True]


def test_samples_are_of_the_person_s_inner_pixels():
    scene = portrait_scene()
    everywhere = scene.sampled(scene.albedo)
    assert np.array_equal(everywhere, scene.albedo.reshape(-1, 3)[scene.samples])
    assert np.array_equal(scene.sampled(scene.albedo, 3), everywhere[::3])
    assert np.array_equal(scene.sampled_albedo, everywhere)
    assert np.array_equal(scene.sampled_photo_light, scene.photo_light.ravel()[scene.samples])
