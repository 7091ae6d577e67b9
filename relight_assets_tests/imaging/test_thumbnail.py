"""Thumbnails: their size, and what they say that they are of."""

import cv2
import numpy as np

from relight_assets.imaging.thumbnail import MAX_CELL_BYTES, SIDE, MadeOf, encode_thumbnail, thumbnail_made_of

OF = MadeOf("a" * 64, "b" * 16, 2)


def test_the_pictures_stand_side_by_side_and_any_decoder_reads_them() -> None:
    red, blue = (np.full((400, 300, 3), color, np.uint8) for color in ((200, 20, 20), (20, 20, 200)))
    data = encode_thumbnail([red, blue], OF)
    strip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert strip is not None
    assert strip.shape == (SIDE, 2 * 96, 3)
    assert np.abs(strip[64, 48].astype(int) - (200, 20, 20)).max() < 12
    assert np.abs(strip[64, 96 + 48].astype(int) - (20, 20, 200)).max() < 12


def test_noise_keeps_to_the_bytes_too_and_small_pictures_stay_as_they_are() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    assert len(encode_thumbnail([noise, noise], OF)) <= 2 * MAX_CELL_BYTES + 200
    strip = cv2.imdecode(np.frombuffer(encode_thumbnail([noise[:70, :90]] * 2, OF), np.uint8), cv2.IMREAD_COLOR)
    assert strip is not None
    assert strip.shape == (70, 180, 3)


def test_what_it_is_of() -> None:
    data = encode_thumbnail([np.zeros((64, 64, 3), np.uint8)] * 2, OF)
    assert thumbnail_made_of(data) == OF
    assert thumbnail_made_of(data[:-10]) is None  # cut off
    _, other = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))
    assert thumbnail_made_of(other.tobytes()) is None
    assert thumbnail_made_of(b"") is None
