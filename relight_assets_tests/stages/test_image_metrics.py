"""Each metric notices what it is for, on a portrait that is changed in one way."""

import numpy as np
import pytest

from relight_assets.core.color import decode, encode
from relight_assets.stages.foreground_color import Blend, with_alpha
from relight_assets.stages.image_metrics import (
    DOWNSAMPLED_SIDE,
    ImageMetrics,
    black_speckle,
    comb,
    few_of,
    measure,
    measure_downsampled,
)
from relight_assets.stages.masks.matting.foreground import separate
from relight_assets_tests.stages.portraits import portrait

PERSON = portrait(320, 280)
LAYERS = separate(PERSON.rgb, PERSON.alpha)
SIDE = np.linspace(0.4, 1.6, 280, dtype=np.float32)[None, :, None]


def measured(
    degraded: np.ndarray, albedo: np.ndarray = PERSON.rgb, background: np.ndarray | None = None
) -> ImageMetrics:
    found = measure(
        PERSON.rgb,
        LAYERS.foreground,
        LAYERS.background if background is None else background,
        albedo,
        with_alpha(degraded, PERSON.alpha),
        blend="srgb",
    )
    assert found is not None
    return found


def relit(factor: np.ndarray | float) -> np.ndarray:
    return encode(np.clip(decode(PERSON.rgb) * np.float32(factor), 0, 1))


def test_the_photo_itself_has_not_changed() -> None:
    found = measured(PERSON.rgb)
    assert found.identity == pytest.approx(1)
    assert (found.strength, found.exposure, found.lit_exposure) == pytest.approx((0, 0, 0), abs=1e-6)
    assert (found.clipping, found.crushed, found.chroma) == pytest.approx((0, 0, 0), abs=0.01)
    assert found.rim == pytest.approx(1)
    assert found.recomposition <= 2


def test_twice_the_light_is_one_stop() -> None:
    found = measured(relit(2.0))
    assert found.exposure == pytest.approx(1, abs=0.05)
    assert found.lit_exposure == pytest.approx(1, abs=0.05)
    assert found.strength < 0.1


def test_a_light_from_the_side_is_strong_and_keeps_the_detail() -> None:
    found = measured(relit(SIDE))
    assert 0.2 < found.strength < 0.6
    assert found.identity > 0.9


def test_another_image_has_lost_the_detail() -> None:
    noise = np.random.default_rng(0).integers(30, 220, PERSON.rgb.shape).astype(np.uint8)
    assert measured(noise).identity < 0.3


def test_white_is_clipped_and_black_is_crushed() -> None:
    white, black = PERSON.rgb.copy(), PERSON.rgb.copy()
    white[150:200, 100:180] = 255
    black[150:200, 100:180] = 0
    assert measured(white).clipping > 0.05
    assert measured(black).crushed > 0.05
    assert abs(measured(white).crushed) < 0.01


def test_a_red_albedo_has_turned() -> None:
    red = PERSON.rgb.copy()
    red[..., 1:] //= 2
    assert measured(PERSON.rgb, albedo=red).chroma > 10


def test_a_bright_silhouette_is_a_rim() -> None:
    import cv2

    inner = cv2.erode((PERSON.alpha > 230).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    factor = np.where(inner, 1.0, 2.5)[..., None].astype(np.float32)
    assert measured(relit(factor)).rim > 1.4


def test_a_background_that_does_not_fit_is_noticed() -> None:
    wrong = LAYERS.background.copy()
    wrong[..., :3] = 255 - wrong[..., :3]
    assert measured(PERSON.rgb, background=wrong).recomposition > 20


def test_layers_are_laid_over_each_other_in_the_space_they_were_made_for() -> None:
    spaces: tuple[Blend, ...] = ("srgb", "linear")
    for made in spaces:
        layers = separate(PERSON.rgb, PERSON.alpha, made)
        person = with_alpha(PERSON.rgb, PERSON.alpha)
        for laid in spaces:
            images = (PERSON.rgb, layers.foreground, layers.background, PERSON.rgb, person)
            for found in (measure(*images, blend=laid), measure_downsampled(*images, blend=laid)):
                assert found is not None
                assert (found.recomposition <= 2) == (made == laid)


def test_a_person_of_a_few_pixels_is_not_measured() -> None:
    alpha = np.zeros_like(PERSON.alpha)
    alpha[10:20, 10:20] = 255
    layer = with_alpha(PERSON.rgb, alpha)
    assert measure(PERSON.rgb, layer, layer, PERSON.rgb, layer, blend="srgb") is None


def test_reduced_measures_of_a_small_image_are_exact_and_of_a_large_one_nearly() -> None:
    def images(scale: int) -> list[np.ndarray]:
        made = (PERSON.rgb, LAYERS.foreground, LAYERS.background, PERSON.rgb, with_alpha(relit(SIDE), PERSON.alpha))
        return [np.repeat(np.repeat(image, scale, axis=0), scale, axis=1) for image in made]

    assert DOWNSAMPLED_SIDE < 320 < 1.5 * DOWNSAMPLED_SIDE  # so that at its own size every pixel is looked at
    assert measure_downsampled(*images(1), blend="srgb") == measure(*images(1), blend="srgb")
    seen, whole = measure_downsampled(*images(3), blend="srgb"), measure(*images(3), blend="srgb")
    assert seen is not None
    assert whole is not None
    assert seen.strength == pytest.approx(whole.strength, rel=0.03)
    assert seen.exposure == pytest.approx(whole.exposure, abs=0.02)
    assert seen.rim == pytest.approx(whole.rim, rel=0.05)
    assert measure_downsampled(*(image[:9, :9] for image in images(1)), blend="srgb") is None


def test_few_levels_turned_into_many_are_a_comb() -> None:
    smooth = np.random.default_rng(0).normal(60, 12, (320, 280, 3)).clip(0, 255).astype(np.uint8)
    everywhere = np.ones((320, 280), np.bool_)
    assert comb(smooth, everywhere) < 0.03
    assert comb(smooth // 2 * 2, everywhere) == pytest.approx(1, abs=0.05)
    assert comb(smooth // 3 * 3, everywhere) == pytest.approx(1, abs=0.05)
    assert comb(smooth // 2 * 2, np.zeros_like(everywhere)) == 0
    assert measured(relit(SIDE)).comb < 0.05


def test_light_specks_in_black_are_speckle_and_a_smooth_gleam_is_none() -> None:
    everywhere, black = np.ones((80, 80), np.bool_), np.ones((80, 80, 3), np.uint8)
    gleam = np.broadcast_to(np.linspace(0, 200, 80).astype(np.uint8)[None, :, None], black.shape).copy()
    assert black_speckle(black, black, everywhere) == black_speckle(black, gleam, everywhere) == 0
    specked = gleam.copy()
    specked[::4, ::4] = specked[::4, ::4] // 2 + 128
    assert black_speckle(black, specked, everywhere) == pytest.approx(1 / 16, abs=0.02)
    assert black_speckle(black + 40, specked, everywhere) == 0  # dark, and not black
    assert black_speckle(black, specked, np.zeros_like(everywhere)) == 0


def test_few_of_an_image_are_its_own_pixels_at_even_distances() -> None:
    image = np.arange(600 * 1000 * 4, dtype=np.uint32).astype(np.uint8).reshape(600, 1000, 4)
    few = few_of(image)
    assert few.shape == (150, 250, 4)
    assert np.array_equal(few, image[::4, ::4])
    assert np.array_equal(few_of(few), few)
