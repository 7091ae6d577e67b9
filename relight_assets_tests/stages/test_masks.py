import cv2
import numpy as np
import pytest

from relight_assets import recipe
from relight_assets.errors import NoPersonError, SeveralPersonsError
from relight_assets.stages import masks
from relight_assets.stages.masks import (
    PersonNumbers,
    clean_alpha,
    person_numbers,
    require_instances,
    require_person,
    separate,
)
from relight_assets_tests.stages import exact
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


def test_numbers_of_a_mask():
    probability = np.zeros((10, 10), np.float32)
    probability[:5, :5] = 0.8
    numbers = person_numbers(probability)
    assert numbers.score == pytest.approx(0.8)
    assert numbers.coverage == pytest.approx(0.25)
    assert person_numbers(np.zeros((4, 4), np.float32)) == PersonNumbers(0.0, 0.0)


@pytest.mark.parametrize(
    ("score", "coverage", "faces"), [(0.97, 0.5, 0), (0.97, 0.5, 1), (0.80, 0.5, 1), (0.96, 0.05, 0)]
)
def test_a_person_is_let_through(score, coverage, faces):
    require_person(PersonNumbers(score, coverage), faces, recipe.Masks())


@pytest.mark.parametrize(
    ("score", "coverage", "faces", "says"),
    [(0.945, 0.92, 0, "0.945"), (0.99, 0.03, 0, "3.0%"), (0.99, 0.03, 1, "3.0%"), (0.0, 0.0, 0, "0.0%")],
)
def test_no_person_is_turned_away_with_numbers(score, coverage, faces, says):
    with pytest.raises(NoPersonError, match=says):
        require_person(PersonNumbers(score, coverage), faces, recipe.Masks())


def settings(**masks):
    return recipe.Recipe.model_validate({"segmenter": "sam3", "masks": masks})


def test_found_persons_are_let_through_by_the_recipe():
    require_instances([0.9], 0.9, 0.3, settings())
    require_instances([0.9, 0.8], 0.9, 0.3, settings(persons="largest"))
    require_instances([0.9, 0.8], 0.9, 0.3, settings(persons="union"))
    require_instances([0.9], 0.9, 0.3, settings(persons="reject"))


def test_persons_that_the_recipe_does_not_want_are_turned_away_with_numbers():
    with pytest.raises(NoPersonError, match=r"best candidate scored 0\.312"):
        require_instances([], 0.312, 0.0, settings())
    with pytest.raises(NoPersonError, match=r"2\.0%"):
        require_instances([0.9], 0.9, 0.02, settings())
    with pytest.raises(SeveralPersonsError, match=r"2 persons.*0\.90, 0\.70") as caught:
        require_instances([0.9, 0.7], 0.9, 0.3, settings(persons="reject"))
    assert caught.value.rejected


def test_alpha_is_the_mask():
    person = portrait(384, 320)
    alpha = clean_alpha(person.probability, person.rgb)
    assert alpha.shape == (384, 320)
    assert alpha.dtype == np.uint8
    assert np.abs(alpha.astype(float) - person.alpha).mean() < 4
    assert not np.isin(alpha, (1, 254)).any()
    assert ((alpha > 0) & (alpha < 255)).any()


def test_islands_go_and_holes_are_filled():
    probability = np.zeros((128, 128), np.float32)
    cv2.circle(probability, (64, 64), 40, 1.0, -1)
    cv2.circle(probability, (64, 64), 2, 0.0, -1)
    cv2.circle(probability, (8, 8), 4, 1.0, -1)
    alpha = clean_alpha(probability, np.full((256, 256, 3), 90, np.uint8))
    assert alpha[128, 128] == 255
    assert alpha[:40, :40].max() == 0


def test_a_large_hole_and_a_second_person_stay():
    probability = np.zeros((128, 128), np.float32)
    cv2.circle(probability, (44, 64), 40, 1.0, -1)
    cv2.circle(probability, (44, 64), 12, 0.0, -1)
    cv2.circle(probability, (108, 64), 16, 1.0, -1)
    alpha = clean_alpha(probability, np.full((128, 128, 3), 90, np.uint8))
    assert alpha[64, 44] == 0
    assert alpha[64, 108] == 255


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(64, 64), (65, 301), (1, 1)])
def test_empty_and_full_masks(value, size):
    rgb = np.zeros((*size, 3), np.uint8)
    alpha = clean_alpha(np.full((256, 256), value, np.float32), rgb)
    assert np.all(alpha == 255 * value)
    layers = separate(rgb, alpha)
    assert np.array_equal(layers.foreground[..., 3], alpha)


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


@pytest.mark.parametrize("size", [(1024, 900), (700, 611)])
def test_the_guided_filter_is_near_the_exact_one(size):
    """Measured at most, of the alpha's spread: 1e-7 from the same bytes at the guide's size, 6e-5 from unrounded
    alpha; .82 % root mean square, and .099 of 1 at a pixel, against the filter at full size, before the stretch.
    """
    person = portrait(*size)
    scale = masks.GUIDE_SIDE / max(size)
    guide = cv2.resize(person.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    target = cv2.resize(person.probability, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    target_bytes = cv2.convertScaleAbs(target, alpha=255)
    slopes, offset = masks._guided_coefficients(guide, target_bytes)
    found = (cv2.merge(slopes) * guide).sum(axis=2) / 255 + offset / 255
    for given, bound in ((target_bytes / 255, 1e-6), (target.astype(np.float64), 1e-4)):
        exactly = exact.color_guided(guide, given, masks.GUIDE_RADIUS, masks.GUIDE_EPSILON)
        assert exact.errors(found, exactly)[0] < bound
    slopes, offset = (
        cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR) for plane in (cv2.merge(slopes), offset)
    )
    found = (slopes * person.rgb).sum(axis=2) / 255 + offset / 255
    target = cv2.resize(person.probability, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float64)
    exactly = exact.color_guided(person.rgb, target, round(masks.GUIDE_RADIUS / scale), masks.GUIDE_EPSILON)
    rms, worst = exact.errors(found, exactly)
    assert rms < 0.010
    assert worst < 0.12


def test_leaving_out_where_nobody_is_changes_nothing_that_counts():
    person = portrait(400, 700)
    guide, target = person.rgb, cv2.resize(person.alpha, (700, 400))
    target[:, :200] = 0
    whole, near = masks._guided_coefficients(guide, target), masks._guided_near_person(guide, target)
    for one, other in zip((*whole[0], whole[1]), (*near[0], near[1]), strict=True):
        assert one == pytest.approx(other, abs=1e-3)
