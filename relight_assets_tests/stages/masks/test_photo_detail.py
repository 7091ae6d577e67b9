"""Sharpness, the light on a face, and whether a photo is in color."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.config.recipe.masks import PhotoQa
from relight_assets.dataset.records import read_record
from relight_assets.stages.face_features import FEATURES
from relight_assets.stages.masks.photo_detail import (
    bare_face,
    color_spread,
    face_crop,
    is_monochrome,
    light_contrast,
    person_crop,
    sharpness,
)
from relight_assets.stages.masks.recorded_faces import unpacked
from relight_assets_tests.conftest import PORTRAITS, Bench, read_rgb

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
    assert uneven == pytest.approx(0.75, abs=0.1)
    assert light_contrast(flat, inside & False) == 0


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_hair_brows_eyes_and_lips_are_no_light(finished: Bench, number: int, scale: float) -> None:
    record = read_record(finished.layout.record(number))
    assert record is not None
    photo, foreground = (read_rgb(finished.layout.png(number, name)) for name in ("input", "foreground"))
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    photo, alpha = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (photo, foreground[..., 3]))
    face = unpacked(record.stages["masks"].numbers)[0] * np.float32(scale)
    as_it_is = light_contrast(*bare_face(photo, alpha, face))
    made_up = photo.copy()
    for ring in FEATURES:
        cv2.fillConvexPoly(made_up, cv2.convexHull(np.rint(face[list(ring), :2]).astype(np.int32)), (0, 0, 0))
    made_up[alpha < 128] = 0
    assert light_contrast(*bare_face(made_up, alpha, face)) == pytest.approx(as_it_is, abs=0.02)
    middle = round(float(face[:, 0].mean()))
    sides = []
    for half in (np.s_[:, :middle], np.s_[:, middle:]):
        darker = photo.copy()
        darker[half] //= 2  # 2 stops less
        sides.append(light_contrast(*bare_face(darker, alpha, face)))
    assert max(sides) > as_it_is + 0.3  # one of them was darker already


def test_a_face_of_which_little_is_bare_is_measured_whole() -> None:
    face = np.full((468, 2), 30, np.float32)
    face[:4] = (10, 10), (50, 10), (10, 50), (50, 50)
    alpha = np.full((60, 60), 255, np.uint8)
    for points in (face, face * 0.1):
        crop, inside = bare_face(skin(60), alpha, points)
        assert crop.shape[:2] == inside.shape
        assert inside.any()


# -- color ---------------------------------------------------------------------------------------------------------


def chroma_and_spread(rgb: np.ndarray) -> tuple[float, float | None]:
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean()), color_spread(rgb, everywhere(rgb))


def toned(rgb: np.ndarray, *tones: tuple[int, int, int]) -> np.ndarray:
    """A photo printed in colors that go from the first of some tones, in black, to the last, in white."""
    gray, at = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.linspace(0, 255, len(tones))
    table = np.stack([np.interp(np.arange(256), at, values) for values in zip(*tones, strict=True)], axis=1)
    found: np.ndarray = np.rint(table[gray]).astype(np.uint8)
    return found


TONES = {
    "gray": ((0, 0, 0), (255, 255, 255)),
    "sepia": ((20, 10, 5), (150, 115, 80), (255, 240, 210)),
    "cyanotype": ((5, 20, 60), (60, 120, 170), (235, 245, 255)),
    "selenium": ((25, 15, 30), (130, 120, 128), (250, 245, 240)),
}


@pytest.mark.parametrize("name", PORTRAITS)
def test_real_portraits_are_in_color_and_their_toned_prints_are_not(photos: Path, name: str) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(photos / name)), cv2.COLOR_BGR2RGB)
    assert not is_monochrome(*chroma_and_spread(rgb))
    faded = cv2.addWeighted(rgb, 0.5, toned(rgb, *TONES["gray"]), 0.5, 0)
    assert not is_monochrome(*chroma_and_spread(faded))
    for tones in TONES.values():
        printed = toned(rgb, *tones)
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(printed, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
        scanned = cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert is_monochrome(*chroma_and_spread(printed))
        assert is_monochrome(*chroma_and_spread(scanned))


def test_skin_beside_black_cloth_is_color_and_so_is_no_skin_without_any(photos: Path) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(photos / PORTRAITS[2])), cv2.COLOR_BGR2RGB)
    rgb[rgb.shape[0] // 2 :] = 12  # as much again in black
    assert not is_monochrome(*chroma_and_spread(rgb))
    assert is_monochrome(*chroma_and_spread(toned(rgb, *TONES["sepia"])))


def test_too_few_colors_and_black_tell_nothing() -> None:
    rgb = skin(5)
    assert color_spread(rgb, everywhere(rgb)) is color_spread(rgb, ~everywhere(rgb)) is None
    assert color_spread(np.zeros((300, 200, 3), np.uint8), np.ones((300, 200), bool)) is None
    assert is_monochrome(0.1, None)
    assert not is_monochrome(12.0, None)


def test_a_small_person_in_color_is_in_color(photos: Path) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(photos / PORTRAITS[2])), cv2.COLOR_BGR2RGB)
    small = np.zeros((128, 128, 3), np.uint8)
    small[60:72, 50:62] = cv2.resize(rgb, (12, 12), interpolation=cv2.INTER_AREA)
    inside = np.zeros((128, 128), bool)
    inside[60:72, 50:62] = True
    for image, expected in ((small, False), (toned(small, *TONES["sepia"]), True)):
        assert is_monochrome(15.0, color_spread(image, inside)) is expected
