import warnings

import numpy as np
import pytest

from relight_assets.config.recipe.albedo import AlbedoMix, Retinex
from relight_assets.core.color import decode, luminance
from relight_assets.stages.albedo import albedo
from relight_assets.stages.albedo.albedo import extract
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
