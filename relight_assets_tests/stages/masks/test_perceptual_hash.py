"""Nearly the same photo has nearly the same fingerprint, and another photo has not."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from relight_assets.stages.masks.perceptual_hash import HASH_SIDE, SAME_BITS, fingerprint
from relight_assets_tests.conftest import PORTRAITS, read_rgb


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.fixture(scope="module")
def portraits(photos: Path) -> list[np.ndarray]:
    return [read_rgb(photos / name) for name in (*PORTRAITS, "cat.png")]


def test_it_has_256_bits(portraits: list[np.ndarray]) -> None:
    assert len(fingerprint(portraits[0])) * 4 == HASH_SIDE**2 == 256


def test_other_photos_are_far_apart(portraits: list[np.ndarray]) -> None:
    prints = [fingerprint(rgb) for rgb in portraits]
    assert min(bits_apart(*pair) for pair in combinations(prints, 2)) > 2 * SAME_BITS


@pytest.mark.parametrize(
    "change",
    [
        lambda rgb: cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR),
        lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda rgb: cv2.convertScaleAbs(rgb, alpha=1.1, beta=5),
        lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 1.5),
    ],
    ids=["jpeg", "half", "brighter", "blurred"],
)
def test_the_same_photo_changed_a_little_is_near(
    portraits: list[np.ndarray], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    for rgb in portraits:
        assert bits_apart(fingerprint(rgb), fingerprint(change(rgb))) <= SAME_BITS
