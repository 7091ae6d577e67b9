"""Tags: what may be the matter with a photo, and is no reason to turn it away."""

import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.persons.head import Head
from relight_assets.stages.masks.photo_tags import (
    BLOCKY,
    MIRRORED,
    NAMES,
    PhotoTags,
    blockiness,
    blurred_border,
    mirror,
    tags,
)
from relight_assets_tests.stages.portraits import portrait

FACE = np.array([[60, 40], [100, 90]], np.float32)


def textured(side: int = 256) -> np.ndarray:
    """A portrait before a wall that is nowhere the same."""
    person = portrait(side, side)
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.standard_normal((side, side)), (0, 0), side / 40)
    noisy = person.rgb + (60 * wall / np.std(wall))[..., None]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def of_portrait(**changes: object) -> PhotoTags:
    person = portrait(256, 256)
    given = {
        "alpha": person.alpha,
        "probability": person.probability,
        "scores": None,
        "faces": [FACE],
        "monochrome": False,
        "head": None,
    }
    return tags(textured(), **given | changes)  # type: ignore[arg-type]


def test_a_plain_portrait_has_no_tag_and_every_name_stands_in_the_record() -> None:
    assert of_portrait().plain() == dict.fromkeys(NAMES, False)


def test_a_second_large_part_of_the_mask_may_be_a_second_person() -> None:
    probability = np.zeros((256, 256), np.float32)
    probability[50:200, 20:120] = 1
    assert not of_portrait(probability=probability).second_person
    probability[50:100, 180:220] = 1  # 13 %
    assert not of_portrait(probability=probability).second_person
    probability[50:120, 180:220] = 1  # 19 %
    assert of_portrait(probability=probability).second_person
    assert not of_portrait(probability=probability * 0).second_person


def test_so_may_a_second_large_face_though_the_persons_touch() -> None:
    assert of_portrait(faces=[FACE, FACE / 2]).second_person
    assert not of_portrait(faces=[FACE, FACE / 4]).second_person


def test_a_segmenter_that_tells_persons_apart_is_believed() -> None:
    assert of_portrait(scores=(0.9, 0.6)).second_person
    assert not of_portrait(scores=(0.9,), faces=[FACE, FACE]).second_person


def test_a_person_that_is_cut_off_at_the_top_or_at_both_sides_is_truncated() -> None:
    alpha = np.zeros((256, 256), np.uint8)
    alpha[60:] = 255
    assert of_portrait(alpha=alpha).truncated  # 80 % of both sides
    alpha[:, -9:] = 0
    assert not of_portrait(alpha=alpha).truncated  # of one
    alpha[0, :60] = 255
    assert of_portrait(alpha=alpha).truncated


def test_a_black_and_white_photo_that_was_let_in_is_tagged() -> None:
    assert of_portrait(monochrome=True).monochrome


def test_a_head_that_is_rolled_or_squashed_and_a_negative_are_told() -> None:
    assert of_portrait(head=Head(-29.0, 1.06)).plain() == dict.fromkeys(NAMES, False)
    assert of_portrait(head=Head(-31.0, 1.0)).rolled
    assert of_portrait(head=Head(0.0, 0.92)).squashed
    assert of_portrait(head=Head(0.0, 1.13)).squashed
    assert of_portrait(head=Head(0.0, 1.0, inverted=True)).negative


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("depth", [20, 50])
def test_a_border_that_mirrors_the_person_is_padding(turns: int, depth: int) -> None:
    rgb, alpha = np.rot90(textured(), turns), np.rot90(portrait(256, 256).alpha, turns)
    assert mirror(rgb, np.full_like(alpha, 255)) < MIRRORED
    padded = cv2.copyMakeBorder(np.ascontiguousarray(rgb), depth, 0, 0, 0, cv2.BORDER_REFLECT)
    assert mirror(padded, np.full(padded.shape[:2], 255, np.uint8)) > MIRRORED
    nobody_there = np.zeros(padded.shape[:2], np.uint8)
    nobody_there[150:] = 255
    assert mirror(padded, nobody_there) < MIRRORED


def test_a_plain_wall_and_a_door_frame_are_no_mirrors() -> None:
    everywhere = np.full((200, 200), 255, np.uint8)
    wall = np.full((200, 200, 3), 180, np.uint8)
    assert mirror(wall, everywhere) == -1
    wall[:, 90:110] = 20
    assert mirror(wall, everywhere) < MIRRORED


def test_a_jpeg_of_low_quality_is_blocky_and_no_tiny_image_is() -> None:
    rgb = textured()
    assert blockiness(rgb) < BLOCKY / 2
    coarse = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 10])[1], cv2.IMREAD_COLOR)
    assert blockiness(coarse) > BLOCKY
    assert blockiness(rgb[:20, :20]) == 0


def filled_up(rgb: np.ndarray, depth: int) -> np.ndarray:
    """An image filled up at its upper edge as FFHQ does it: mirrored, then blurred, the more so outside."""
    padded = cv2.copyMakeBorder(rgb, depth, 0, 0, 0, cv2.BORDER_REFLECT).astype(np.float32)
    soft = cv2.GaussianBlur(padded, (0, 0), 0.02 * rgb.shape[0])
    rows = np.arange(len(padded), dtype=np.float32)[:, None, None]
    share = np.clip(1 + 3 * (1 - (rows + 2 * depth) / (3 * depth)), 0, 1)
    return np.rint(padded + (soft - padded) * share).astype(np.uint8)


@pytest.mark.parametrize("turns", range(4))
def test_a_blurred_filling_that_the_person_reaches_into_is_padding(turns: int) -> None:
    rgb = np.rot90(portrait(512, 512).rgb, turns)
    rgb = np.clip(np.rint(rgb + np.random.default_rng(5).normal(0, 12, rgb.shape)), 0, 255).astype(np.uint8)
    padded = filled_up(rgb, 60)
    everywhere = np.full(padded.shape[:2], 255, np.uint8)
    assert blurred_border(padded, everywhere)
    assert not blurred_border(rgb, everywhere[60:])
    inside = everywhere.copy()
    inside[:120] = 0
    assert not blurred_border(padded, inside)


def test_a_soft_photo_and_black_clothes_are_no_fillings() -> None:
    rgb = textured(512)
    everywhere = np.full(rgb.shape[:2], 255, np.uint8)
    assert not blurred_border(cv2.GaussianBlur(rgb, (0, 0), 4), everywhere)
    black = rgb.copy()
    black[:100] = 2
    assert not blurred_border(black, everywhere)
    assert not blurred_border(filled_up(textured(128), 16), np.full((144, 128), 255, np.uint8))
