import warnings

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.albedo import AlbedoMix, Retinex
from relight_assets.core.color import decode, luminance
from relight_assets.stages.albedo import albedo
from relight_assets.stages.albedo.albedo import extract
from relight_assets_tests.stages.albedo.materials.heads import head, side_light
from relight_assets_tests.stages.portraits import portrait

PLAIN = Retinex(color_strength=0.0)


def logs(rgb):
    return np.log(luminance(decode(np.ascontiguousarray(rgb))) + 0.01)


def slopes(estimate, person):
    # How much of the known shading, and of the known paint, is in an estimate: 1 all, 0 nothing.
    inside = person.alpha == 255
    target = logs(estimate)[inside]
    columns = [np.log(person.shading[inside]), np.log(luminance(person.albedo)[inside]), np.ones(inside.sum())]
    return np.linalg.lstsq(np.stack(columns, axis=1), target, rcond=None)[0][:2]


def angles(first, second):
    first, second = decode(first).astype(float), decode(second).astype(float)
    cosine = (first * second).sum(1) / (np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1) + 1e-9)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


@pytest.mark.parametrize("light", [(0.75, -0.25, 0.6), (-0.75, 0.1, 0.65), (0.0, -0.8, 0.6)])
def test_shading_goes_and_paint_stays(light):
    person = portrait(320, 280, light)
    shading, paint = slopes(extract(person.foreground, PLAIN).image, person)
    assert slopes(person.rgb, person)[0] > 0.8
    assert shading < 0.45
    assert paint > 0.55


def test_the_gaussian_surround_also_removes_shading():
    person = portrait(320, 280)
    shading, _ = slopes(extract(person.foreground, Retinex(surround="gaussian")).image, person)
    assert shading < 0.75


def test_less_strength_leaves_more_shading():
    person = portrait(256, 224)
    half = slopes(extract(person.foreground, Retinex(strength=0.4)).image, person)[0]
    full = slopes(extract(person.foreground, Retinex(strength=0.85)).image, person)[0]
    assert half > full + 0.2


def test_two_lights_give_nearly_one_albedo():
    left, right = portrait(256, 224, (0.75, -0.2, 0.6)), portrait(256, 224, (-0.75, -0.2, 0.6))
    inside = left.alpha == 255
    before = np.var((logs(left.rgb) - logs(right.rgb))[inside])
    after = np.var((logs(extract(left.foreground, PLAIN).image) - logs(extract(right.foreground, PLAIN).image))[inside])
    assert after < 0.25 * before


def test_without_the_colour_step_colours_stay():
    person = portrait(256, 224)
    inside = (person.alpha == 255) & (person.rgb.min(axis=2) > 30)
    assert angles(extract(person.foreground, PLAIN).image[inside], person.rgb[inside]).mean() < 0.5


def test_the_colour_step_is_small():
    person = portrait(256, 224)
    inside = (person.alpha == 255) & (person.rgb.min(axis=2) > 30)
    image = extract(person.foreground, Retinex()).image
    assert angles(image[inside], person.rgb[inside]).mean() < 3


def test_median_brightness_stays():
    person = portrait(256, 224)
    inside = person.alpha > 127
    image = extract(person.foreground, PLAIN).image
    assert np.median(logs(image)[inside]) == pytest.approx(np.median(logs(person.rgb)[inside]), abs=0.1)


def test_nothing_is_written_outside_and_something_everywhere_inside():
    person = portrait()
    image = extract(person.foreground, Retinex()).image
    assert image[person.alpha == 0].max() == 0
    assert image[person.alpha > 0].max(axis=1).min() > 0


def test_the_background_does_not_matter():
    person = portrait()
    other = person.foreground.copy()
    other[other[..., 3] == 0, :3] = 255
    assert np.array_equal(extract(person.foreground, PLAIN).image, extract(other, PLAIN).image)


@pytest.mark.parametrize("surround", ["edge_aware", "gaussian"])
@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
@pytest.mark.parametrize("mask", ["full", "one pixel", "faint", "empty", "thin"])
@pytest.mark.parametrize("size", [(64, 64), (67, 301), (1, 1)])
def test_odd_inputs_give_finite_albedo_without_warnings(surround, color, mask, size):
    foreground = np.zeros((*size, 4), np.uint8)
    foreground[..., :3] = color
    fill = {"full": np.s_[:], "one pixel": np.s_[:1, :1], "faint": np.s_[:], "empty": np.s_[:0], "thin": np.s_[:1]}
    foreground[(*([fill[mask]] if not isinstance(fill[mask], tuple) else fill[mask]),)][..., 3] = (
        100 if mask == "faint" else 255
    )
    foreground[foreground[..., 3] == 0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = extract(foreground, Retinex(surround=surround))
    assert made.image.shape == (*size, 3)
    assert all(isinstance(value, (float, str)) for value in made.numbers.values())
    assert all(np.isfinite(value) for value in made.numbers.values() if isinstance(value, float))
    if mask == "full" and size != (1, 1):
        # One colour has no shading; only the shoulder may move it.
        assert np.ptp(made.image.reshape(-1, 3).astype(int), axis=0).max() <= 1


def flat_face(scale, shift=0.0):
    points = head().points * np.float32(scale)
    points[:, :2] += np.float32(shift)
    return points


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (200, 140, 110), (128, 128, 128)])
@pytest.mark.parametrize("mask", ["full", "one pixel", "faint", "empty", "thin"])
@pytest.mark.parametrize("size", [(256, 256), (67, 301), (1, 1)])
@pytest.mark.parametrize("faces", [[(0.8, 0)], [(0.1, 20)], [(0.5, 0), (0.4, 60)], [(1.0, 5000)], [(0.001, 0)]])
def test_odd_inputs_with_faces_give_finite_albedo_without_warnings(color, mask, size, faces):
    foreground = np.zeros((*size, 4), np.uint8)
    fill = {"full": np.s_[:], "one pixel": np.s_[:1, :1], "faint": np.s_[:], "empty": np.s_[:0], "thin": np.s_[:1]}
    foreground[fill[mask]] = (*color, 100 if mask == "faint" else 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = extract(foreground, Retinex(), faces=[flat_face(*each) for each in faces])
    assert made.image.shape == (*size, 3)
    assert made.image[foreground[..., 3] == 0].sum() == 0
    assert all(np.isfinite(value) for value in made.numbers.values() if isinstance(value, float))
    if mask == "full" and size == (256, 256):
        assert np.ptp(made.image.reshape(-1, 3).astype(int), axis=0).max() <= 2


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_a_face_is_evened_beside_dark_hair_at_every_size(scale):
    lit = head(side_light())
    size = (round(300 * scale), round(300 * scale))
    foreground = cv2.resize(lit.foreground, size, interpolation=cv2.INTER_AREA)
    skin, hair = (cv2.resize(part.astype(np.float32), size) > 0.99 for part in (lit.skin, lit.hair))
    image = extract(foreground, Retinex(strength=1.0), faces=[flat_face(scale)]).image
    before, after = logs(foreground[..., :3]), logs(image)
    assert after[skin].std() < 0.5 * before[skin].std()
    assert np.median(after[skin]) == pytest.approx(np.median(before[skin]), abs=0.1)
    assert np.median((after - before)[hair]) == pytest.approx(0, abs=0.07)
    assert image[foreground[..., 3] == 0].max() == 0


def test_only_retinex_within_materials_uses_faces_and_it_is_the_same_every_time():
    lit = head(side_light())
    for parameters, method in ((Retinex(surround="gaussian"), "retinex"), (Retinex(), "retinex_fast")):
        alone = extract(lit.foreground, parameters, method)
        assert np.array_equal(alone.image, extract(lit.foreground, parameters, method, None, [lit.points]).image)
    first, again = (extract(lit.foreground, Retinex(), faces=[lit.points]) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, extract(lit.foreground, Retinex()).image)
    assert first.numbers.keys() == extract(lit.foreground, Retinex()).numbers.keys()


def test_soft_edges_are_evened_like_the_person_beside_them():
    lit = head(side_light())
    foreground = lit.foreground.copy()
    ring = cv2.dilate(lit.alpha, np.ones((5, 5))) > lit.alpha
    spread = cv2.dilate(foreground[..., :3], np.ones((5, 5)))
    foreground[ring] = np.dstack([spread, np.full_like(lit.alpha, 60)])[ring]
    gain = logs(extract(foreground, Retinex(strength=1.0), faces=[lit.points]).image) - logs(foreground[..., :3])
    inside = cv2.erode(lit.alpha, np.ones((5, 5))) > 0
    near = cv2.blur(np.where(inside, gain, 0), (15, 15)) / np.maximum(cv2.blur(inside.astype(float), (15, 15)), 1e-6)
    assert np.median(np.abs(gain - near)[ring]) < 0.1


def test_a_strength_is_drawn_for_each_photo_and_one_that_is_given_stays():
    drawn = [albedo.with_strength(Retinex(), f"{number:064x}").strength for number in range(200)]
    low, high = Retinex().strength_range
    assert all(low <= each <= high for each in drawn)
    assert np.std(drawn) == pytest.approx((high - low) / 12**0.5, rel=0.15)
    assert drawn == [albedo.with_strength(Retinex(), f"{number:064x}").strength for number in range(200)]
    assert albedo.with_strength(Retinex(strength=0.4), "ab").strength == 0.4
    assert extract(portrait().foreground, Retinex(strength=0.4)).numbers["strength"] == 0.4
    assert extract(portrait().foreground, Retinex()).numbers["strength"] == pytest.approx((low + high) / 2)


def test_a_method_is_drawn_by_weight_and_always_the_same_for_a_photo():
    mix = AlbedoMix(retinex=0.7, retinex_fast=0.3)
    drawn = [albedo.draw_method(mix, 0, f"{number:064x}") for number in range(300)]
    assert 0.6 < drawn.count("retinex") / 300 < 0.8
    assert set(drawn) == {"retinex", "retinex_fast"}
    assert drawn == [albedo.draw_method(mix, 0, f"{number:064x}") for number in range(300)]
    assert albedo.draw_method(AlbedoMix(), 5, "ab") == "retinex"


def test_every_method_leaves_its_name_and_another_image():
    person = portrait(160, 140)
    found = {name: extract(person.foreground, PLAIN, name) for name in ("retinex", "retinex_fast", "msr_classic")}
    assert all(made.numbers["method"] == name for name, made in found.items())
    images = [made.image for made in found.values()]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[1], images[2])
