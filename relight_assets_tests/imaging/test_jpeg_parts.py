"""JPEGs whose markers are not those that belong there, or are too many."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relight_assets.errors import ImageCorruptError, ImageFormatError, ImageSizeError
from relight_assets.imaging import jpeg_parts
from relight_assets.imaging.decode import decode
from relight_assets_tests.fuzz.image_generator import jpeg_of_many_scans
from relight_assets_tests.imaging.sample_images import noisy, saved

IMAGE = noisy(200, 240)


def test_restart_markers_must_be_those_that_belong_there(put: Callable[[bytes], Path]) -> None:
    data = saved(IMAGE, "JPEG", restart_marker_rows=1)
    second = data.index(b"\xff\xd1")
    for altered in (
        data[:second] + b"\xff\xd5" + data[second + 2 :],
        data[:second] + data[data.index(b"\xff\xd2") :],
        data[:second] + data[second + 2 :],
        data[:second] + b"\xff\xd9",
        data[:second] + b"\xff\xd1" * 100_000 + data[second:],
    ):
        with pytest.raises(ImageCorruptError):
            decode(put(altered))


def test_thousands_of_scans_are_refused_before_they_are_decoded(put: Callable[[bytes], Path]) -> None:
    with pytest.raises(ImageFormatError, match="more than 100 scans"):
        decode(put(jpeg_of_many_scans(5000)))


def test_segments_and_junk_have_an_end(put: Callable[[bytes], Path]) -> None:
    data = saved(IMAGE, "JPEG")
    start, data = data[:20], data[18:]  # SOI and APP0
    comment = b"\xff\xfe\0\x04hi"
    assert decode(put(start + comment * 5000 + data[2:])).rgb.shape == IMAGE.shape
    with pytest.raises(ImageFormatError, match="more than 10,000 segments"):
        decode(put(start + comment * 20_000 + data[2:]))
    for junk in (b"\0", b"\xff", b"\xff\0"):
        with pytest.raises(ImageCorruptError, match="too much between"):
            decode(put(start + junk * 200_000 + data[2:]))


def test_a_size_that_is_not_taken_is_refused_before_restart_intervals_are_counted(put: Callable[[bytes], Path]) -> None:
    data = bytearray(saved(noisy(64, 64), "JPEG", restart_marker_blocks=1))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"  # 65,500 each way
    scan = data.index(b"\xff\xda")
    data = data[: scan + 14] + b"".join(bytes([0xFF, 0xD0 + number % 8]) for number in range(200_000)) + b"\xff\xd9"
    with pytest.raises(ImageSizeError, match="65500x65500"):
        decode(put(bytes(data)))


def test_with_very_many_restart_intervals_it_is_decoded_whole(
    put: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(IMAGE, "JPEG", progressive=True, restart_marker_blocks=1)
    assert jpeg_parts.parts_of(data).resumable
    monkeypatch.setattr(jpeg_parts, "MAX_CHECKED", 1000)
    parts = jpeg_parts.parts_of(data)
    assert (parts.resumable, len(parts.segments)) == (False, 1000)
    np.testing.assert_array_equal(decode(put(data)).rgb, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
