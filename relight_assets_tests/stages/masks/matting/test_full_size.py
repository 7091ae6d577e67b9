import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.matting.closed_form import Matte, solve_with_models
from relight_assets.stages.masks.matting.full_size import enlarged


def solved(size=128, large=1024, grain=0.0):
    """A dark disc before a light wall, solved at a small size: matte, photo, person, band, true alpha of the photo."""
    drawn = np.zeros((2 * large, 2 * large), np.uint8)
    cv2.circle(drawn, (large, large), large // 2, 255, -1)
    alpha = cv2.resize(drawn.astype(np.float32) / 255, (large, large), interpolation=cv2.INTER_AREA)
    photo = alpha[..., None] * (50, 35, 30) + (1 - alpha[..., None]) * (200, 205, 210)
    photo += grain * np.random.Generator(np.random.Philox(2)).normal(size=photo.shape)
    rgb = np.rint(np.clip(photo, 0, 255)).astype(np.uint8)
    small = cv2.resize(alpha, (size, size), interpolation=cv2.INTER_AREA)
    band = cv2.dilate(cv2.inRange(small, 0.02, 0.98), np.ones((7, 7), np.uint8)).view(bool)
    guide = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA)
    return solve_with_models(guide, small, band, 0.02), rgb, small > 0.5, band, alpha


def test_an_edge_is_as_sharp_as_the_photos():
    matte, rgb, person, band, alpha = solved()
    found = enlarged(matte, rgb, person, band)
    by_size = cv2.resize(matte.alpha, alpha.shape, interpolation=cv2.INTER_LINEAR)
    assert found.dtype == np.uint8
    assert np.abs(found / 255 - alpha).mean() < 0.5 * np.abs(by_size - alpha).mean()
    assert not np.isin(found, (1, 254)).any()


def test_grain_does_not_become_alpha():
    matte, rgb, person, band, alpha = solved(grain=8.0)
    found = enlarged(matte, rgb, person, band)
    far = cv2.erode(
        (np.abs(cv2.GaussianBlur(alpha, (0, 0), 12) - np.rint(alpha)) < 1e-3).astype(np.uint8), np.ones((5, 5))
    )
    assert np.array_equal(found[far > 0], np.rint(255 * alpha[far > 0]))


def test_what_was_not_solved_for_is_the_person_or_not():
    matte, rgb, person, band, _ = solved()
    found = enlarged(matte, rgb, person, np.zeros_like(band))
    assert np.array_equal(
        found, cv2.resize(person.view(np.uint8) * np.uint8(255), (1024, 1024), interpolation=cv2.INTER_NEAREST)
    )


@pytest.mark.parametrize("soft", range(1, 7))
def test_few_soft_pixels(soft):
    band = np.zeros((4, 4), np.bool_)
    band.ravel()[:soft] = True
    models = np.zeros((4, 4, 4), np.float32)
    models[..., 3] = 0.5
    matte = Matte(np.full((4, 4), 0.5, np.float32), models)
    found = enlarged(matte, np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_), band)
    assert found.ravel().tolist() == [146] * soft + [255] * (16 - soft)
