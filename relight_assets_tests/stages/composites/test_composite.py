import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Background
from relight_assets.stages.composites.composite import composite
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets_tests.stages.portraits import portrait


def test_gray_is_exact_outside():
    person = portrait()
    output = composite(person.foreground, None, Background(gray_color=(128, 127, 3)))
    assert np.all(output[person.alpha == 0] == (128, 127, 3))
    assert np.array_equal(output[person.alpha == 255], person.rgb[person.alpha == 255])


def test_the_edge_is_mixed_and_rounded_to_even():
    degraded = np.array([[[255, 1, 0, 51], [0, 0, 0, 51]]], np.uint8)
    output = composite(degraded, None, Background(gray_color=(0, 4, 10)))
    assert output.tolist() == [[[51, 3, 8], [0, 3, 8]]]


def test_the_linear_blend_differs():
    degraded = np.array([[[20, 20, 20, 191]]], np.uint8)
    display = composite(degraded, None, Background(blend="srgb"))
    linear = composite(degraded, None, Background(blend="linear"))
    assert display[0, 0, 0] == 47
    assert linear[0, 0, 0] == pytest.approx(69, abs=1)


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_on_its_own_background_the_photo_comes_back(blend):
    person = portrait()
    layers = separate(person.rgb, person.alpha, blend)
    output = composite(layers.foreground, layers.background, Background(use_gray=False, blend=blend))
    assert np.array_equal(output[person.alpha == 0], person.rgb[person.alpha == 0])
    assert np.abs(output.astype(int) - person.rgb).max() <= 2


def test_inputs_are_left_alone():
    person = portrait()
    layers = separate(person.rgb, person.alpha)
    before = layers.foreground.copy(), layers.background.copy()
    composite(layers.foreground, layers.background, Background(use_gray=False))
    assert np.array_equal(layers.foreground, before[0])
    assert np.array_equal(layers.background, before[1])


def test_a_missing_background_is_refused():
    with pytest.raises(ValueError, match="background layer"):
        composite(portrait().foreground, None, Background(use_gray=False))
