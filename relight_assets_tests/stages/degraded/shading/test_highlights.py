from dataclasses import replace

import cv2
import numpy as np
import pytest

from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.shading import highlights
from relight_assets.stages.degraded.shading.lobe import half_way
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene

EVEN = {"key_temperature": 5200.0, "key_tint": 0.4}


def shining(scene, light, *, gain=1.3, level=0.8, seed=0, roughness=(0.34, 0.46)):
    lobe = highlights.sample(scene, light, roughness, stream(seed, "", 0, "skin"))
    even = Shading(np.full((*scene.shape, 3), level, np.float32), None, dict(EVEN))
    return highlights.add_highlight(scene, even, lobe, gain)


@pytest.mark.parametrize("azimuth", [0, 60, 120, 180])
def test_highlights_lie_where_the_face_mirrors_the_lamp(azimuth):
    scene, light = face_scene(), direction(40, azimuth)
    plane = luminance(shining(scene, light).highlight)
    n_x, n_y, n_z = scene.smooth_normals(highlights.SHAPE_BLUR)
    half = half_way(light)
    along = n_x * half.x + n_y * half.y + n_z * half.z
    bright = plane > 0.5 * plane.max()
    assert bright.any()
    assert np.degrees(np.arccos(np.clip(along[bright], -1, 1))).mean() < 20


@pytest.mark.parametrize("tone", [1.0, 0.25])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_added_on_hair_eyes_cloth_and_silhouette(tone, seed):
    scene = face_scene(tone=tone)
    plane = luminance(shining(scene, direction(40, 50 + 40 * seed), seed=seed, gain=1.65).highlight)
    peak = plane.max()
    assert peak > 0.02
    assert plane[140:].max() == 0
    assert plane[20:40].max() < 0.05 * peak + 0.004
    assert plane[79:83, 61:67].max() < 0.2 * peak
    assert plane[79:83, 93:99].max() < 0.2 * peak
    assert plane[scene.inward < 0.006 * scene.size].max() == 0


@pytest.mark.parametrize("tone", [1.0, 0.4, 0.15])
@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
def test_a_peak_is_bounded_by_the_lit_skin(tone, gain):
    scene = face_scene(tone=tone)
    shading = shining(scene, direction(40, 60), gain=gain, seed=2)
    skin = np.quantile(luminance(scene.albedo * shading.light)[scene.bare_skin > 0.5], highlights.LIT_QUANTILE)
    level = scene.sampled(scene.photo_light).mean() / scene.sampled(luminance(scene.albedo * shading.light)).mean()
    peak = highlights.CONSTANT / level + min(highlights.PEAK_PER_GAIN * gain, highlights.MAX_PEAK) * skin
    added = luminance(shading.highlight).max()
    assert added <= highlights.HEADROOM * peak * 1.001
    assert added > 0.25 * peak


def test_the_darker_the_skin_the_less_a_highlight_adds_but_it_shows():
    light, dark = (luminance(shining(face_scene(tone=tone), direction(40, 60)).highlight).max() for tone in (1.0, 0.2))
    assert 0.15 * light < dark < 0.7 * light


def test_skin_texture_breaks_the_highlight_up_where_the_photo_is_larger():
    scene, light = face_scene(enlarged=4), direction(40, 60)
    grain = shining(scene, light).grain
    assert grain.factor.shape[0] > 3 * (grain.part[0].stop - grain.part[0].start)
    lobe = highlights.sample(scene, light, (0.34, 0.46), stream(0, "", 0, "skin")).lobe
    bright = cv2.blur(lobe, (25, 25)) > 0.3
    assert np.std(grain.factor[bright]) > 0.08
    assert grain.factor[bright].mean() == pytest.approx(1, abs=0.1)
    assert grain.factor.max() <= highlights.MAX_GRAIN


def test_the_lamp_s_own_shadow_has_no_highlight():
    scene, light = face_scene(), direction(40, 60)
    hidden = highlights.sample(scene, light, (0.4, 0.4), stream(0, "", 0, "skin"), np.zeros(scene.shape, np.float32))
    assert hidden.lobe.max() == 0


def test_without_a_face_a_pale_head_shines_less_and_dark_hair_not_at_all():
    bare = portrait_scene(with_face=False)
    pale = luminance(shining(bare, direction(40, 60)).highlight).max()
    assert 0.01 < pale < luminance(shining(face_scene(), direction(40, 60)).highlight).max()
    covered = replace(bare, albedo=np.minimum(bare.albedo, np.float32(0.03)))
    assert luminance(shining(covered, direction(40, 60)).highlight).max() == 0


def test_a_highlight_has_the_colour_of_its_lamp_and_is_recorded():
    shading = shining(face_scene(), direction(40, 60))
    red, _, blue = shading.highlight.reshape(-1, 3).sum(axis=0)
    assert red > 1.05 * blue
    assert shading.numbers["highlight_temperatures"] == [5200.0]
    assert 0.34 <= shading.numbers["roughness"] <= 0.46
    assert len(shading.numbers["highlight_lights"]) == 3
    assert shading.numbers["specular_gain"] == 1.3


def test_a_second_highlight_adds_to_the_first_and_pattern_shadows_hide_it():
    scene, light = face_scene(), direction(40, 60)
    first = shining(scene, light)
    lobe = highlights.sample(scene, light, (0.4, 0.4), stream(0, "", 0, "second"))
    both = highlights.add_highlight(scene, first, lobe, 1.0)
    assert (both.highlight >= first.highlight).all()
    none = highlights.add_highlight(scene, first, lobe, 1.0, np.zeros(scene.shape, np.float32))
    assert np.array_equal(none.highlight, first.highlight)


def test_gain_follows_the_bias_but_skin_is_never_too_bright():
    rng = stream(0, "", 0, "gain")
    assert all(0.8 <= highlights.draw_gain(rng, (0.8, 2.9), 0.0) <= 2.9 for _ in range(50))
    assert highlights.draw_gain(rng, (0.8, 2.9), 1.0) == pytest.approx(2.9)
    assert highlights.draw_gain(rng, (5.0, 9.0), 0.0) == highlights.MAX_GAIN


def test_on_a_face_in_the_dark_a_highlight_adds_no_more_than_its_skin_has():
    scene = face_scene(tone=0.03)
    light = np.ones((*scene.shape, 3), np.float32)
    skin = np.quantile(luminance(scene.albedo)[scene.bare_skin > 0.5], highlights.LIT_QUANTILE)
    peak, _ = highlights.peak_of(scene, light, gain=0.1)
    assert peak == pytest.approx(1.09 * skin, rel=0.01)
