"""Sharpness and the light on a face."""

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.stages.masks.photo_detail import face_crop, light_contrast, person_crop, sharpness

FACE = np.array([[30, 30, 0], [70, 30, 0], [70, 80, 0], [30, 80, 0], [50, 50, 9]], np.float32)


def skin(side: int = 300, *, level: float = 120.0, contrast: float = 1.0) -> np.ndarray:
    """Something with detail of all sizes."""
    rng = np.random.default_rng(5)
    plane = sum(cv2.GaussianBlur(rng.standard_normal((side, side)), (0, 0), sigma) * sigma for sigma in (0.8, 4, 20))
    gray = np.clip(level * (1 + 0.25 * contrast * plane / np.std(plane)), 0, 255)
    return np.dstack([np.rint(gray).astype(np.uint8)] * 3)


def everywhere(rgb: np.ndarray) -> np.ndarray:
    return np.ones(rgb.shape[:2], bool)


def sharp(rgb: np.ndarray) -> float:
    found = sharpness(rgb, everywhere(rgb))
    assert found is not None
    return found


def test_the_more_it_is_blurred_the_less_sharp_it_is() -> None:
    rgb = skin(contrast=1.8)
    found = [sharp(cv2.GaussianBlur(rgb, (0, 0), sigma) if sigma else rgb) for sigma in (0, 1, 2, 6)]
    assert found == sorted(found, reverse=True)
    assert found[0] > PhotoQa().min_sharpness > found[-1]


def test_dark_and_light_skin_are_as_sharp() -> None:
    assert sharp(skin(level=50)) == pytest.approx(sharp(skin(level=190, contrast=0.9)), rel=0.15)


def test_large_crops_are_made_smaller_and_small_ones_are_left() -> None:
    rgb = skin()
    large = cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert sharp(large) == pytest.approx(sharp(cv2.resize(large, (512, 512), interpolation=cv2.INTER_AREA)), rel=0.5)
    assert sharp(large) < sharp(rgb)


def test_too_few_pixels_say_nothing_and_one_gray_has_no_detail() -> None:
    rgb = skin(12)
    assert sharpness(rgb, everywhere(rgb)) is None
    assert sharpness(rgb, ~everywhere(rgb)) is None
    assert sharp(np.full((99, 99, 3), 77, np.uint8)) == 0


def test_the_face_is_cut_out_and_what_is_beyond_the_image_left_out() -> None:
    rgb = skin(120)
    crop, inside = face_crop(rgb, FACE)
    assert crop.shape == (51, 41, 3)
    assert inside.all()
    crop, inside = face_crop(rgb, FACE + 60)
    assert crop.shape == (30, 30, 3)
    assert inside.shape == (30, 30)
    assert not face_crop(rgb, FACE + 900)[1].any()


def test_the_person_is_cut_out() -> None:
    alpha = np.zeros((60, 50), np.uint8)
    alpha[10:40, 5:25] = 255
    crop, inside = person_crop(skin(60)[:, :50], alpha)
    assert crop.shape == (30, 20, 3)
    assert inside.all()
    assert not person_crop(skin(60)[:, :50], alpha * 0)[1].any()


def test_light_from_one_side_is_contrast_and_freckles_are_none() -> None:
    flat = np.full((64, 64, 3), 120, np.uint8)
    freckled = flat.copy()
    freckled[::8, ::8] = 60
    side = flat.copy()
    side[:, :32] = 60  # 2 stops less
    inside = np.zeros((64, 64), bool)
    inside[8:56, 8:56] = True
    even, spotted, uneven = (light_contrast(each, inside) for each in (flat, freckled, side))
    assert even < 0.01
    assert spotted < 0.1
    assert uneven == pytest.approx(0.9, abs=0.2)
    assert light_contrast(flat, inside & False) == 0
