import numpy as np
import pytest

from relight_assets.stages.degraded.exposure import exposed, rolloff, stops_of_change
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets_tests.stages.degraded.scenes import portrait_scene


def test_a_pair_equal_to_the_photo_has_no_strength():
    scene = portrait_scene()
    light = (scene.photo_light / np.maximum(scene.albedo @ np.float32([0.2126, 0.7152, 0.0722]), 1e-6))[..., None]
    same = Shading(np.repeat(light, 3, axis=2).astype(np.float32), None, {})
    assert stops_of_change(scene, same).std() < 0.02


@pytest.mark.parametrize("brightest", [7.9, 100.0])
def test_highlights_stay_below_white(brightest):
    peak = np.array([[0.0, 0.5, 0.8, 1.0, brightest]], np.float32)
    compressed = peak * rolloff([peak, peak / 2, peak * 0])
    assert compressed[0, :3] == pytest.approx(peak[0, :3])
    assert 0.9 < compressed[0, 3] < compressed[0, 4] <= 0.97


@pytest.mark.parametrize("brightness", [0.2, 1.0, 5.0])
def test_a_light_is_made_as_bright_as_the_photo_whatever_its_own_brightness(brightness):
    scene = portrait_scene()
    even = Shading(np.full((*scene.shape, 3), brightness, np.float32), None, {})
    lit = exposed(scene, even, 0.0)
    assert lit.gain * brightness == pytest.approx(
        exposed(scene, Shading(even.light / brightness, None, {}), 0.0).gain, rel=1e-4
    )
    assert lit.shading.light == pytest.approx(even.light * np.float32(lit.gain))
    assert lit.strength == pytest.approx(stops_of_change(scene, even, lit.gain).std(), abs=1e-5)


def test_the_anchor_is_the_skin_of_the_face_and_the_person_where_there_is_none():
    with_face, without = portrait_scene(), portrait_scene(with_face=False)
    bare = with_face.anchor_samples
    assert 50 <= bare.size < with_face.samples.size
    assert np.isin(bare, with_face.samples).all()
    assert ((with_face.face_share * with_face.skin).ravel()[bare] > 0.5).all()
    assert np.array_equal(without.anchor_samples, without.samples)


@pytest.mark.parametrize("exposure", [-0.2, 0.0, 0.1])
def test_the_face_keeps_the_photos_brightness_whatever_becomes_of_hair_and_cloth(exposure):
    scene = portrait_scene()
    light = np.ones((*scene.shape, 3), np.float32)
    beside = np.ones(scene.alpha.size, bool)
    beside[scene.anchor_samples] = False
    gains = []
    for elsewhere in (0.7, 1.0, 1.2):
        light.reshape(-1, 3)[beside] = elsewhere
        gains.append(exposed(scene, Shading(light.copy(), None, {}), exposure).gain)
    assert gains == pytest.approx([gains[1]] * 3, rel=1e-4)
    weights = np.float32([0.2126, 0.7152, 0.0722])
    now = gains[1] * (scene.albedo.reshape(-1, 3)[scene.anchor_samples] @ weights).mean()
    photo = scene.photo_light.ravel()[scene.anchor_samples].mean()
    assert np.log2(now / photo) == pytest.approx(exposure, abs=0.15)
