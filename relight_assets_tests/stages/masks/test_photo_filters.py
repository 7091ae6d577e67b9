from dataclasses import replace

import numpy as np
import pytest

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.errors import (
    BadMatteError,
    BlurredError,
    FaceTooSmallError,
    FlatLightError,
    MonochromeError,
    OverexposedError,
    PersonTooLargeError,
    PersonTooSmallError,
    UnderexposedError,
    UnsureCutoutError,
)
from relight_assets.stages.masks.photo_filters import PhotoMetrics, measure_photo, require

GOOD = PhotoMetrics(0.5, 500, 0.02, 0.001, 0.2, 0.01, 0.0, 60.0, 50.0, 20.0, 9.0, 120.0, 0.1, 0.8)
FACE = np.full((468, 3), (50, 50, 9), np.float32)
FACE[:4] = [30, 30, 0], [70, 30, 0], [70, 80, 0], [30, 80, 0]


def scene():
    """A gray wall, a person of display level 119 (L* 50), whose face is lighter."""
    rgb = np.full((120, 100, 3), 200, np.uint8)
    alpha = np.zeros((120, 100), np.uint8)
    alpha[20:, 20:80] = 255
    rgb[alpha > 0] = 119
    rgb[30:81, 30:71] = 188  # L* 76
    return rgb, alpha


def test_what_is_seen():
    rgb, alpha = scene()
    seen = measure_photo(rgb, alpha, FACE)
    assert seen.coverage == pytest.approx(0.5)
    assert seen.subject_size == pytest.approx(np.sqrt(6000))
    assert seen.soft_edge == seen.touches_top == seen.clipped == seen.face_clipped == 0
    assert seen.skin_lightness == pytest.approx(76, abs=0.6)
    assert seen.lightness == pytest.approx(50, abs=0.6)
    assert seen.chroma < 0.1
    assert seen.color_spread < 0.01
    assert seen.face_size == 25
    assert seen.plain()["skin_lightness"] == round(seen.skin_lightness or 0, 6)


def test_clipped_is_reported_for_person_and_face():
    rgb, alpha = scene()
    rgb[30:81, 30:71, 0] = 254
    seen = measure_photo(rgb, alpha, FACE)
    assert seen.face_clipped == 0  # the two other channels still tell the skin
    lost = rgb.copy()
    lost[30:81, 30:71, 1] = 254
    assert measure_photo(lost, alpha, FACE).face_clipped == 1
    assert seen.clipped == pytest.approx(51 * 41 / 6000, abs=0.02)
    assert seen.chroma > 5
    rgb[alpha == 0] = 255  # the wall does not count
    assert measure_photo(rgb, alpha, FACE).clipped == seen.clipped


def test_without_a_face_nothing_is_said_of_one():
    rgb, alpha = scene()
    seen = measure_photo(rgb, alpha, None)
    assert seen.face_clipped is None
    assert seen.skin_lightness is None
    assert measure_photo(rgb, alpha, FACE - 900).skin_lightness is None  # outside


def test_soft_edges_and_a_cut_head():
    rgb, alpha = scene()
    alpha[:30] = 100
    alpha[0, :40] = 255
    seen = measure_photo(rgb, alpha, None)
    assert seen.touches_top == pytest.approx(0.4)
    assert seen.soft_edge == pytest.approx(0.25, abs=0.01)


def test_nobody_has_numbers_too():
    rgb, alpha = scene()
    seen = measure_photo(rgb, alpha * 0, FACE)
    assert (seen.coverage, seen.lightness, seen.chroma) == (0, 0, 0)
    assert seen.skin_lightness is None
    assert seen.light_contrast == 0
    assert measure_photo(rgb, alpha * 0, None).sharpness is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"coverage": 0.97}, PersonTooLargeError),
        ({"subject_size": 60.0}, PersonTooSmallError),
        ({"face_size": 30.0}, FaceTooSmallError),
        ({"soft_edge": 0.2}, BadMatteError),
        ({"undecided": 0.02}, UnsureCutoutError),
        ({"chroma": 0.0, "color_spread": 0.0}, MonochromeError),
        ({"chroma": 16.0, "color_spread": 1.6}, MonochromeError),
        ({"face_clipped": 0.1}, OverexposedError),
        ({"skin_lightness": 5.0}, UnderexposedError),
        ({"skin_lightness": None, "lightness": 5.0}, UnderexposedError),
        ({"sharpness": 0.003}, BlurredError),
    ],
)
def test_what_would_teach_the_wrong_thing_is_rejected_with_its_key(change, error):
    require(GOOD, PhotoQa())
    with pytest.raises(error, match=r"photo_qa\.") as caught:
        require(replace(GOOD, **change), PhotoQa())
    assert caught.value.rejected
    assert caught.value.skin_lightness == change.get("skin_lightness", 60.0)
    limits = {"max_coverage": 1, "min_subject": 0, "min_face": 0, "max_soft_edge": 1, "max_face_clipped": 1}
    limits["monochrome"] = "take"
    require(replace(GOOD, **change), PhotoQa(**limits, max_undecided=1, min_lightness=0, min_sharpness=0))


def test_flat_light_is_taken_unless_the_recipe_wants_more():
    flat = replace(GOOD, light_contrast=0.1)
    require(flat, PhotoQa())
    with pytest.raises(FlatLightError, match=r"photo_qa\.min_light_contrast") as caught:
        require(flat, PhotoQa(min_light_contrast=0.3))
    assert caught.value.rejected


def test_where_there_is_no_face_its_size_is_no_matter_and_few_pixels_are_not_blurred():
    require(replace(GOOD, face_size=None, sharpness=None), PhotoQa())


def test_dark_skin_and_dark_clothes_are_no_fault():
    require(replace(GOOD, skin_lightness=15.0, lightness=3.0), PhotoQa())


def test_a_share_just_above_its_bound_is_told_apart_from_it():
    with pytest.raises(OverexposedError, match=r"8\.04% of the face.*photo_qa\.max_face_clipped 8\.00%"):
        require(replace(GOOD, face_clipped=0.0804), PhotoQa())
