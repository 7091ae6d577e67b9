from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.core.color import planckian
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.exposure import (
    CENTERED,
    FARTHEST,
    FARTHEST_COLOR,
    MAX_BURNT,
    MAX_MEAN_CHANGE,
    Camera,
    draw_camera,
    exposed,
    stops_of_change,
)
from relight_assets.stages.degraded.light_sampler import Shading
from relight_assets.stages.degraded.tone_curve import ToneCurve
from relight_assets_tests.stages.degraded.scenes import face_scene, portrait_scene

WEIGHTS = np.float32([0.2126, 0.7152, 0.0722])


def even(scene, brightness=1.0, color=(1, 1, 1)):
    return Shading(np.full((*scene.shape, 3), np.float32(brightness) * np.float32(color), np.float32), None, {})


def side(scene, least=0.3):
    """Light from the right, dark on the left."""
    ramp = np.linspace(least, 1, scene.shape[1], dtype=np.float32)
    return Shading(np.broadcast_to(ramp[None, :, None], (*scene.shape, 3)).astype(np.float32), None, {})


def seen(scene, lit):
    """The samples of the person, (N, 3) linear, as the camera renders them."""
    colors = scene.sampled(scene.albedo * lit.shading.light)
    return colors * lit.curve.factor_of(colors.max(axis=1)[:, None])


def contrasts(colors):
    dark, middle, light = np.quantile(np.log2(colors @ WEIGHTS + np.float32(0.004)), [0.1, 0.5, 0.9])
    return np.array([middle - dark, light - middle])


def logs(colors):
    red, green, blue = np.log(colors.mean(axis=0, dtype=np.float64))
    return np.array([red - green, blue - green])


def test_a_pair_equal_to_the_photo_has_no_strength():
    scene = portrait_scene()
    light = (scene.photo_light / np.maximum(scene.albedo @ WEIGHTS, 1e-6))[..., None]
    same = Shading(np.repeat(light, 3, axis=2).astype(np.float32), None, {})
    assert stops_of_change(scene, same, ToneCurve()).std() < 0.02
    assert exposed(scene, same, CENTERED).strength < 0.05


@pytest.mark.parametrize("brightness", [0.2, 1.0, 5.0])
def test_a_light_is_made_as_bright_as_the_photo_whatever_its_own_brightness(brightness):
    scene = portrait_scene()
    lit, one = (exposed(scene, side_light, CENTERED) for side_light in (even(scene, brightness), even(scene)))
    assert lit.numbers["exposure_gain"] * brightness == pytest.approx(one.numbers["exposure_gain"], rel=1e-4)
    assert lit.shading.light == pytest.approx(even(scene, brightness).light * np.float32(lit.numbers["channel_gains"]))
    assert lit.strength == pytest.approx(stops_of_change(scene, lit.shading, lit.curve).std(), abs=1e-5)


@pytest.mark.parametrize("exposure", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize("light", [even, side])
def test_the_persons_mean_change_is_what_was_drawn(light, exposure):
    scene = face_scene()
    lit = exposed(scene, light(scene), Camera(exposure))
    assert stops_of_change(scene, lit.shading, lit.curve).mean() == pytest.approx(exposure, abs=0.15)
    assert lit.numbers["exposure"] == exposure


@pytest.mark.parametrize("kelvin", [2200.0, 4000.0, 12000.0])
@pytest.mark.parametrize("drawn", [(0.0, 0.0), (0.08, -0.12), (-0.05, 0.1)])
def test_the_persons_color_is_the_photos_but_for_what_was_drawn(kelvin, drawn):
    scene = portrait_scene()
    white, lit = (
        exposed(scene, even(scene, 1.0, planckian(color)), Camera(0.0, balance))
        for color, balance in ((6504.0, (0.0, 0.0)), (kelvin, drawn))
    )
    assert logs(seen(scene, white)) == pytest.approx(logs(scene.sampled(scene.photo)), abs=0.08)
    assert logs(seen(scene, lit)) - logs(seen(scene, white)) == pytest.approx(drawn, abs=0.01)


def test_what_key_and_ambient_differ_by_stays():
    scene = portrait_scene()
    two = side(scene)
    left = slice(0, scene.shape[1] // 2)
    two.light[:, left] *= planckian(9000.0)
    two.light[:, scene.shape[1] // 2 :] *= planckian(3500.0)
    lit = exposed(scene, two, CENTERED).shading.light
    assert lit[5, -1] / lit[5, 0] == pytest.approx(two.light[5, -1] / two.light[5, 0], rel=1e-4)


def test_a_recipe_may_leave_a_lights_color_and_contrast_as_they_are():
    scene = portrait_scene()
    light = side(scene)
    light.light[:] *= planckian(3000.0)
    left = exposed(scene, light, Camera(0.0, color_adaptation=0.0, contrast_adaptation=0.0))
    gains = left.numbers["channel_gains"]
    assert gains == pytest.approx([gains[0]] * 3)
    assert (left.curve.odd, left.curve.even) == pytest.approx((0, 0), abs=1e-6)
    # Without the curve, after which the balance is measured again.
    half, full = (
        exposed(scene, light, Camera(0.0, color_adaptation=share, contrast_adaptation=0.0)).numbers["channel_gains"]
        for share in (0.5, 1.0)
    )
    assert half[2] / half[0] == pytest.approx((full[2] / full[0]) ** 0.5, rel=1e-3)


@pytest.mark.parametrize("drawn", [(0.0, 0.0), (0.15, -0.1), (0.1, 0.05)])
def test_contrasts_are_the_photos_but_for_what_was_drawn(drawn):
    scene = portrait_scene()
    wanted = contrasts(scene.sampled(scene.photo)) + drawn
    before = contrasts(scene.sampled(scene.albedo))
    lit = exposed(scene, even(scene), Camera(0.0, contrast=drawn))
    found = contrasts(seen(scene, lit))
    reachable = np.clip(wanted, 0.75 * before, 1.25 * before)
    assert found == pytest.approx(reachable, abs=0.2)


def test_no_mean_change_exceeds_the_most():
    scene = portrait_scene()
    for exposure in (-3.0, 3.0):
        lit = exposed(scene, side(scene), Camera(exposure))
        mean = stops_of_change(scene, lit.shading, lit.curve).mean()
        assert abs(mean) <= MAX_MEAN_CHANGE + 0.04
        assert np.sign(mean) == np.sign(exposure)


def test_highlights_get_the_same_gains():
    scene = portrait_scene()
    light = even(scene)
    shine = Shading(light.light, np.full_like(light.light, 0.05), {})
    lit = exposed(scene, shine, Camera(0.2, (0.05, -0.05)))
    assert lit.shading.highlight == pytest.approx(shine.highlight * np.float32(lit.numbers["channel_gains"]))


def test_cameras_are_drawn_on_both_sides_of_the_photo_alike_and_recorded():
    cameras = [draw_camera(stream(7, "", number, "camera"), Degradation()) for number in range(2000)]
    exposures = np.array([camera.exposure for camera in cameras])
    assert abs(np.median(exposures)) < 0.03
    assert np.abs(exposures).max() <= 0.4
    balance = np.array([camera.white_balance for camera in cameras])
    contrast = np.array([camera.contrast for camera in cameras])
    assert np.median(balance, axis=0) == pytest.approx([0, 0], abs=0.006)
    assert balance[:, 0].std() == pytest.approx(0.05, rel=0.1)
    assert np.corrcoef(balance.T)[0, 1] < -0.7
    assert np.median(contrast, axis=0) == pytest.approx([0, 0], abs=0.015)
    assert np.abs(contrast).max() <= FARTHEST * 0.15
    assert np.abs(balance).max() <= FARTHEST_COLOR * 0.055 * (1.5 + 0.35) + 1e-9
    other = draw_camera(stream(7, "", 0, "camera"), Degradation(), mirrored=True)
    assert [*other.white_balance, *other.contrast] == pytest.approx([*-balance[0], *-contrast[0]])
    assert other.exposure == pytest.approx(-cameras[0].exposure)
    still = Degradation(color_spread=0.0, contrast_spread=0.0, exposure_range=(0.1, 0.1), color_adaptation=0.3)
    camera = draw_camera(stream(7, "", 0, "camera"), still)
    assert camera == Camera(0.1, (0.0, 0.0), (0.0, 0.0), 0.3, 1.0)


def test_the_anchor_is_the_skin_of_the_face_and_the_person_where_there_is_none():
    with_face, without = portrait_scene(), portrait_scene(with_face=False)
    bare = with_face.anchor_samples
    assert 50 <= bare.size < with_face.samples.size
    assert np.isin(bare, with_face.samples).all()
    assert ((with_face.face_share * with_face.skin).ravel()[bare] > 0.5).all()
    assert np.array_equal(without.anchor_samples, without.samples)


def test_the_face_weighs_more_than_hair_and_cloth():
    scene = portrait_scene()
    beside = np.ones(scene.alpha.size, bool)
    beside[scene.anchor_samples] = False
    gains = []
    for where in (beside, ~beside):
        light = even(scene).light
        light.reshape(-1, 3)[where] *= np.float32(1.3)
        gains.append(exposed(scene, Shading(light, None, {}), CENTERED).numbers["exposure_gain"])
    share = beside[scene.samples].mean()
    lost = -np.log2(np.array(gains) / exposed(scene, even(scene), CENTERED).numbers["exposure_gain"])
    assert lost[0] / share < lost[1] / (1 - share)


def face_levels(scene, lit):
    """Of the face's skin, as the camera renders it, stops."""
    face = np.isin(scene.samples, scene.anchor_samples)
    return np.log2(seen(scene, lit)[face] @ WEIGHTS + np.float32(0.004))


def test_the_lit_part_of_the_skin_may_be_held_and_then_the_shade_is_dark():
    scene = face_scene()
    photo = np.quantile(np.log2(scene.photo_light.ravel()[scene.anchor_samples] + np.float32(0.004)), 0.75)
    light = side(scene, 0.05)
    usual, held = (face_levels(scene, exposed(scene, light, CENTERED, hold_lit_skin=hold)) for hold in (False, True))
    off = [abs(np.quantile(levels, 0.75) - photo) for levels in (usual, held)]
    assert off[1] < 0.8 * off[0]


def test_bright_skin_is_not_burnt(monkeypatch):
    scene = face_scene(tone=1.5)
    spots = even(scene, 0.2)
    spots.light.reshape(-1, 3)[scene.anchor_samples[::3]] *= np.float32(5)
    changes = []
    for burnt in (0.5, 2.0):
        monkeypatch.setattr("relight_assets.stages.degraded.exposure.BURNT", burnt)
        lit = exposed(scene, spots, CENTERED, hold_lit_skin=True)
        changes.append(stops_of_change(scene, lit.shading, lit.curve).mean())
    assert changes[0] < changes[1] - 0.3 * MAX_BURNT
    same = [exposed(scene, spots, CENTERED).numbers["exposure_gain"]]
    monkeypatch.setattr("relight_assets.stages.degraded.exposure.BURNT", 0.5)
    same.append(exposed(scene, spots, CENTERED).numbers["exposure_gain"])
    assert same[0] == same[1]


def with_black_hair(scene):
    albedo = scene.albedo.copy()
    albedo[:50][albedo[:50].max(axis=2) < 0.1] *= np.float32(0.1)
    return replace(scene, albedo=albedo)


HAIR, CHEEK = np.s_[36:44, 70:90], np.s_[84:94, 58:64]


def test_black_hair_is_lifted_by_less_than_the_face():
    scene = with_black_hair(face_scene())
    lit = exposed(scene, even(scene), Camera(1.0))
    gains = np.float32(lit.numbers["channel_gains"])
    assert lit.shading.light[CHEEK] == pytest.approx(np.broadcast_to(gains, lit.shading.light[CHEEK].shape), rel=1e-3)
    hair = lit.shading.light[HAIR] / gains
    assert hair.min() > 0.5
    assert hair.max() < 0.85


def test_what_is_not_lifted_is_as_it_was():
    scene = with_black_hair(face_scene())
    lit = exposed(scene, even(scene), Camera(-1.0))
    gains = np.float32(lit.numbers["channel_gains"])
    assert lit.shading.light[HAIR] == pytest.approx(np.broadcast_to(gains, lit.shading.light[HAIR].shape), rel=1e-5)


def test_light_on_a_red_shirt_makes_no_face_gray(monkeypatch):
    person = face_scene()
    albedo, shirt = person.albedo.copy(), person.albedo[..., 2] > 0.3
    albedo[shirt] = (0.5, 0.05, 0.05)
    scene = replace(person, albedo=albedo, photo=albedo, photo_light=albedo @ WEIGHTS)
    light = np.where(shirt, np.float32(2), np.float32(0.5))[..., None] * np.ones(3, np.float32)

    def red_green():
        red, green, _ = exposed(scene, Shading(light, None, {}), CENTERED).numbers["channel_gains"]
        return float(np.log(red / green))

    some = red_green()
    monkeypatch.setattr("relight_assets.stages.degraded.exposure.PLACED", 1.0)
    whole = red_green()
    assert whole < -0.2
    assert 0.15 * whole > some > 0.45 * whole
