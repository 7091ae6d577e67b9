from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.recipe.families import SoftShading, Specular
from relight_assets.core.color import luminance
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.direction import direction
from relight_assets.stages.degraded.geometry.head import Head
from relight_assets.stages.degraded.shading import lamp
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene


def lit(scene, light, bias=0.0, seed=0):
    sampled = lamp.sample(scene, light, stream(seed, "", 0, "shape"))
    shading = lamp.render(scene, sampled, Specular(), stream(seed, "", 0, "strength"), strength_bias=bias)
    return shading.light, shading.numbers


@pytest.mark.parametrize("with_face", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_side_of_the_lamp_can_be_read(with_face, seed):
    scene = portrait_scene(with_face=with_face)
    right, _ = lit(scene, direction(30, 10), seed=seed)
    left, _ = lit(scene, direction(30, 170), seed=seed)
    sides = [
        np.log2(luminance(image)[70:100, 98:106].mean() / luminance(image)[70:100, 54:62].mean())
        for image in (right, left)
    ]
    assert sides[0] > 1.5
    assert sides[1] < -1.5


def test_irradiance_is_finite_and_bright_parts_are_compressed():
    light, numbers = lit(face_scene(), direction(40, 60))
    assert np.isfinite(light).all()
    assert light.min() >= 0
    face = luminance(light)[face_scene().face_share > 0.6]
    assert face.max() < 1.05 * lamp.CEILING * np.percentile(face, 80)
    assert 0.05 <= numbers["ambient"] <= 0.101
    assert 3900 <= numbers["key_temperature"] <= 7000


def test_the_room_of_a_soft_lamp_has_about_its_colour():
    scene, options = face_scene(), SoftShading()
    sampled = lamp.sample(scene, direction(30, 10), stream(0, "", 0, "shape"), lamp.WIDE_LAMP)
    assert lamp.WIDE_LAMP[0] <= sampled.numbers["lamp_size"] <= lamp.WIDE_LAMP[1]
    low, high = options.ambient_temperature_range
    for seed in range(20):
        numbers = lamp.render(scene, sampled, options, stream(seed, "", 0, "strength"), strength_bias=0.0).numbers
        assert low <= numbers["ambient_temperature"] <= high
        ratio = numbers["ambient_temperature"] / numbers["key_temperature"]
        at_end = numbers["ambient_temperature"] in options.ambient_temperature_range
        assert at_end or 0.9 <= ratio <= 1.45


def test_the_room_is_darker_on_the_side_away_from_the_lamp():
    scene = face_scene()
    room = lamp.sample(scene, direction(20, 0), stream(0, "", 0, "shape")).room
    aside = np.abs(scene.normals[0]) > 0.5
    right, left = (room[aside & (sign * scene.normals[0] > 0) & scene.core].mean() for sign in (1, -1))
    assert left < 0.8 * right
    assert room.min() > 0.3


def test_a_strength_bias_deepens_the_shade():
    _, numbers = lit(face_scene(), direction(30, 10), bias=1.0)
    options = Specular()
    assert numbers["ambient"] == pytest.approx(options.ambient_linear[0])
    assert (numbers["key_share"], numbers["wrap"]) == pytest.approx((0.97, 0.0))


def test_red_reaches_farther_into_the_shade():
    image, _ = lit(face_scene(), direction(20, 0))
    ratio = image[..., 0] / image[..., 2]
    light = luminance(image)
    face = face_scene().face_share > 0.6
    bright, terminator = np.percentile(light[face], (90, 30))
    near = face & (np.abs(light - terminator) < 0.2 * terminator)
    assert ratio[near].mean() > 1.02 * ratio[face & (light > bright)].mean()


def test_hair_shades_the_skin_beside_it_and_nothing_else():
    shade = lamp.hair_occlusion(face_scene())
    assert shade.min() >= 1 - lamp.HAIR_SHADE - 1e-5
    assert shade[52:54, 74:86].mean() < 0.98
    assert shade[95, 80] > 0.99
    assert (lamp.hair_occlusion(portrait_scene(with_face=False)) == 1).all()


def small_head():
    """A scene most of which is beyond the head."""
    return replace(face_scene(), head=Head(80.0, 84.0, 22.0, 30.0, (0.0, -1.0)))


def stops_apart(scene, light):
    """By how much what is far from the head has more light than the face."""
    stops = np.log2(luminance(light).ravel())
    far = np.sqrt(scene.head.distance(scene.shape)) > lamp.BEAM[1]
    return stops[far.ravel() & scene.core.ravel()].mean() - stops[scene.anchor_samples].mean()


@pytest.mark.parametrize("on_face", [0.6, 1.0, 1.6])
def test_a_face_that_shades_itself_does_not_go_dark_beside_the_body(on_face):
    scene = small_head()
    near = np.sqrt(scene.head.distance(scene.shape)) < lamp.BEAM[0]
    light = np.where(near, np.float32(on_face), np.float32(1))[..., None] * np.ones(3, np.float32)
    before, after = (stops_apart(scene, each) for each in (light, lamp.aimed(scene, light)))
    assert before == pytest.approx(-np.log2(on_face), abs=0.05)
    assert after == pytest.approx(0.2 * before, abs=0.08)


def test_a_lamp_is_aimed_by_so_much_and_smoothly():
    scene = small_head()
    near = np.sqrt(scene.head.distance(scene.shape)) < lamp.BEAM[0]
    light = np.where(near, np.float32(0.05), np.float32(1))[..., None] * np.ones(3, np.float32)
    factor = np.log2(lamp.aimed(scene, light) / light)[..., 0]
    assert factor.max() == pytest.approx(lamp.MAX_AIM, abs=1e-3)
    assert factor.min() == pytest.approx(0, abs=1e-5)
    assert np.abs(np.diff(factor, axis=0)).max() < 0.06


def test_a_near_lamp_may_leave_the_rest_darker_but_not_the_face():
    scene = small_head()
    near = np.sqrt(scene.head.distance(scene.shape)) < lamp.BEAM[0]
    for on_face, far, close in ((8.0, lamp.MAX_AIM, lamp.NEAR_AIM), (0.05, lamp.MAX_AIM, lamp.MAX_AIM)):
        light = np.where(near, np.float32(on_face), np.float32(1))[..., None] * np.ones(3, np.float32)
        changes = [np.abs(np.log2(lamp.aimed(scene, light, near=each) / light)).max() for each in (False, True)]
        assert changes == pytest.approx([far, close], abs=1e-3)


@pytest.mark.parametrize("scene", [portrait_scene(with_face=False), face_scene()])
def test_without_a_face_or_a_body_no_lamp_is_aimed(scene):
    light = np.linspace(0.1, 1, scene.shape[0], dtype=np.float32)[:, None, None] * np.ones(
        (*scene.shape, 3), np.float32
    )
    assert np.array_equal(lamp.aimed(scene, light), light)
