import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import NoPersonError, SeveralPersonsError
from relight_assets.stages.masks.mask import (
    PersonNumbers,
    clean_alpha,
    person_numbers,
    require_instances,
    require_one_person,
    separate,
)
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


def settings(**masks):
    return Recipe.model_validate({"segmenter": "sam3", "masks": masks})


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
    alone = clean_alpha(probability, np.full((128, 128, 3), 90, np.uint8), persons="largest")
    assert alone[64, 108] == 0
    assert np.abs(alone[:, :80].astype(int) - alpha[:, :80]).mean() < 1


def test_a_second_person_is_rejected_where_the_recipe_says_so() -> None:
    require_one_person(True, "largest")
    require_one_person(True, "union")
    require_one_person(False, "reject")
    with pytest.raises(SeveralPersonsError, match="a second large part"):
        require_one_person(True, "reject")


def strands(size: int = 384):
    """Dark hair with strands around it before a light wall: image, alpha, and a segmenter that is nearly blind."""
    large = 4 * size
    drawn = np.zeros((large, large), np.uint8)
    middle = large // 2
    cv2.circle(drawn, (middle, middle), large // 4, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 60):
        end = (round(middle + 0.28 * large * np.cos(angle)), round(middle + 0.28 * large * np.sin(angle)))
        cv2.line(drawn, (middle, middle), end, 255, 8)
    alpha = cv2.resize(drawn.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
    rgb = np.rint(alpha[..., None] * (50, 35, 30) + (1 - alpha[..., None]) * (200, 205, 210)).astype(np.uint8)
    cells = cv2.GaussianBlur(cv2.resize(alpha, (128, 128), interpolation=cv2.INTER_AREA), (0, 0), 2)
    return rgb, alpha, cells


def test_strands_that_the_segmenter_does_not_see_are_found():
    rgb, alpha, cells = strands()
    beyond = (np.hypot(*np.mgrid[-192:192, -192:192]) > 100) & (alpha > 0.5)
    enlarged = cv2.resize(cells, alpha.shape, interpolation=cv2.INTER_LINEAR)
    assert beyond.sum() > 500
    assert enlarged[beyond].mean() < 0.3
    found = clean_alpha(cells, rgb) / 255
    assert found[beyond].mean() > 2 * enlarged[beyond].mean()
    assert np.abs(found - alpha).mean() < 0.25 * np.abs(enlarged - alpha).mean()


def test_a_large_photo_has_edges_of_its_own_sharpness():
    rgb, alpha, cells = strands(1200)
    found = clean_alpha(cells, rgb) / 255
    assert np.abs(found - alpha).mean() < 0.003


def test_what_is_enlarged_is_refined_by_its_own_cells():
    rgb, alpha, cells = strands()
    enlarged = cv2.resize(cells, (384, 384), interpolation=cv2.INTER_LINEAR)
    found, by_cells, by_size = (
        clean_alpha(cells, rgb),
        clean_alpha(enlarged, rgb, (128, 128)),
        clean_alpha(enlarged, rgb),
    )
    assert np.abs(by_cells / 255 - found / 255).mean() < 0.002
    assert np.abs(by_cells / 255 - alpha).mean() < np.abs(by_size / 255 - alpha).mean()


def test_a_mask_without_a_soft_edge_is_refined_too():
    rgb, alpha, _ = strands()
    hard = (np.hypot(*np.mgrid[-192:192, -192:192]) < 98).astype(np.float32)
    found = clean_alpha(hard, rgb, (128, 128)) / 255
    assert np.abs(found - alpha).mean() < 0.5 * np.abs(hard - alpha).mean()


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
