import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.matting.foreground import person_colors, separate
from relight_assets_tests.stages.portraits import portrait


def laid_over(layers, blend):
    def space(codes):
        value = codes / 255.0
        return value if blend == "srgb" else np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)

    def display(value):
        if blend == "linear":
            value = np.where(value <= 0.0031308, value * 12.92, 1.055 * np.maximum(value, 0) ** (1 / 2.4) - 0.055)
        return np.rint(value * 255)

    f, b = layers.foreground, layers.background
    return display(space(f[..., :3]) * (f[..., 3:] / 255) + space(b[..., :3]) * (b[..., 3:] / 255))


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_foreground_over_background_is_the_photo(blend):
    person = portrait(200, 170)
    layers = separate(person.rgb, person.alpha, blend)
    difference = np.abs(laid_over(layers, blend) - person.rgb)
    soft = (person.alpha > 0) & (person.alpha < 255)
    assert soft.any()
    assert difference[~soft].max() == 0
    assert difference.max() <= 2


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_even_noise_under_a_random_alpha_comes_back(blend):
    rng = np.random.Generator(np.random.Philox(5))
    rgb = rng.integers(0, 256, (64, 80, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (64, 80), dtype=np.uint8)
    alpha[(alpha == 1) | (alpha == 254)] = 128
    assert np.abs(laid_over(separate(rgb, alpha, blend), blend) - rgb).max() <= 2


def test_layers_hold_nothing_where_they_are_not():
    person = portrait()
    layers = separate(person.rgb, person.alpha)
    assert np.array_equal(layers.foreground[..., 3], person.alpha)
    assert np.array_equal(layers.background[..., 3], 255 - person.alpha)
    for layer in (layers.foreground, layers.background):
        assert layer[layer[..., 3] == 0].max() == 0


def test_the_wall_does_not_stay_in_the_edge():
    person = portrait(400, 340)
    edge = (person.alpha > 60) & (person.alpha < 200)
    green = np.array([-0.5, 1.0, -0.5])
    before = (person.rgb[edge] @ green).mean()
    after = (separate(person.rgb, person.alpha).foreground[edge][:, :3] @ green).mean()
    skin = (person.rgb[person.alpha == 255] @ green).mean()
    assert after - skin < 0.4 * (before - skin)


def test_the_colour_is_that_of_the_nearest_sure_person():
    rgb = np.full((120, 120, 3), 9, np.uint8)
    alpha = np.zeros((120, 120), np.uint8)
    alpha[:, :50] = alpha[:, 110:] = 255
    rgb[:, :50], rgb[:, 110:] = (200, 60, 20), (20, 60, 200)
    found = cv2.resize(person_colors(rgb, alpha), (120, 120), interpolation=cv2.INTER_LINEAR)
    assert np.abs(found[:, 52] - (200, 60, 20)).max() < 12
    assert np.abs(found[:, 108] - (20, 60, 200)).max() < 12
    assert np.abs(found[60, 10] - (200, 60, 20)).max() < 1
    assert not person_colors(rgb, np.zeros_like(alpha)).any()


def test_no_rim_of_the_wall_on_a_wide_softness():
    ramp = np.clip((np.arange(200) - 60) / 60, 0, 1)[None].repeat(100, axis=0)
    rgb = np.rint(ramp[..., None] * (60, 40, 30) + (1 - ramp[..., None]) * (120, 180, 250)).astype(np.uint8)
    alpha = np.rint(255 * ramp).astype(np.uint8)
    foreground = separate(rgb, alpha).foreground
    soft = (alpha > 25) & (alpha < 230)
    assert np.abs(foreground[soft][:, :3].astype(int) - (60, 40, 30)).mean() < 8


def test_the_outermost_opaque_pixels_give_no_color():
    rgb = np.full((256, 256, 3), (60, 40, 30), np.uint8)
    alpha = np.zeros((256, 256), np.uint8)
    alpha[:, :100], alpha[:, 100] = 255, 128
    rgb[:, 99:] = (200, 210, 220)  # wall, and an opaque column that shows it
    assert np.abs(person_colors(rgb, alpha)[:, 98:104] - (60, 40, 30)).max() < 1
