"""JPEGs that lost or gained bytes, and whole ones that only look so."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from relight_assets.errors import ImageCorruptError, ImageFormatError, ImageSizeError
from relight_assets.imaging import jpeg
from relight_assets.imaging.decode import decode
from relight_assets_tests.fuzz.image_generator import jpeg_of_many_scans
from relight_assets_tests.imaging.sample_images import noisy, saved

IMAGE = noisy(200, 240)
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "baseline 4:4:4": {"subsampling": 0, "quality": 95},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "restarts in a row": {"restart_marker_blocks": 3},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 1},
}


def whole(kind: str) -> bytes:
    return saved(IMAGE, "JPEG", **KINDS[kind])


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (200, 131)])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_what_pillow_makes_of_them(
    kind: str, size: tuple[int, int], put: Callable[[bytes], Path]
) -> None:
    for image in (noisy(*size), noisy(*size)[..., 0], np.full((*size, 3), 200, np.uint8)):
        data = saved(image, "JPEG", **KINDS[kind])
        np.testing.assert_array_equal(decode(put(data)).rgb, by_pillow(data))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_end_marker_is_no_fault(kind: str, put: Callable[[bytes], Path]) -> None:
    data = whole(kind)
    for cut in (1, 2):
        np.testing.assert_array_equal(decode(put(data[:-cut])).rgb, by_pillow(data))


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_end_marker_every_pixel_must_be_there(kind: str, put: Callable[[bytes], Path]) -> None:
    data = whole(kind)
    for cut in range(3, 60):
        with pytest.raises(ImageCorruptError, match="JPEG"):
            decode(put(data[:-cut]))


def test_a_progressive_file_without_its_last_scans_is_cut_off(put: Callable[[bytes], Path]) -> None:
    data = whole("progressive")
    for scan in [start for start in range(len(data)) if data[start : start + 2] == b"\xff\xda"][1:]:
        table = data.rfind(b"\xff\xc4", 0, scan)
        with pytest.raises(ImageCorruptError, match="last scans are missing"):
            decode(put(data[:table]))


def is_warned_of(data: bytes, capfd: pytest.CaptureFixture[str]) -> bool:
    """Whether libjpeg says on stderr that the data are corrupt, where OpenCV lets it."""
    capfd.readouterr()
    cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return "Corrupt JPEG data" in capfd.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_what_libjpeg_warns_of_is_found_and_nothing_else(
    kind: str, put: Callable[[bytes], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    data = whole(kind)
    rng = random.Random(kind)
    segments = jpeg.parts_of(data).segments
    found = warned = 0
    for _ in range(300):
        altered = bytearray(data)
        place = rng.randrange(*rng.choice(segments))
        altered[place] ^= 1 << rng.randrange(8)
        if 0xFF in {data[place - 1], data[place], altered[place]}:
            continue  # another marker, not another code
        reported = is_warned_of(bytes(altered), capfd)
        warned += reported
        try:
            decode(put(bytes(altered)))
        except ImageCorruptError as error:
            if not reported or not ("damaged" in str(error) or "cut off" in str(error)):
                raise
            found += 1
    assert warned > 10
    assert found >= (0.55 if "restarts" in kind else 0.85) * warned, (found, warned)


@pytest.mark.parametrize("kind", ["baseline", "restarts", "progressive"])
@pytest.mark.parametrize("padding", [b"\0" * 40, b"\xff" * 3, b"\xff\0"])
def test_padding_before_a_marker_is_no_fault(kind: str, padding: bytes, put: Callable[[bytes], Path]) -> None:
    data = whole(kind)
    padded = data[:-2] + padding + data[-2:]
    np.testing.assert_array_equal(decode(put(padded)).rgb, by_pillow(data))


def test_restart_markers_must_be_those_that_belong_there(put: Callable[[bytes], Path]) -> None:
    data = whole("restarts")
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
    data = whole("baseline")
    start, data = data[:20], data[18:]  # SOI and APP0
    comment = b"\xff\xfe\0\x04hi"
    assert decode(put(start + comment * 5000 + data[2:])).rgb.shape == IMAGE.shape
    with pytest.raises(ImageFormatError, match="more than 10,000 segments"):
        decode(put(start + comment * 20_000 + data[2:]))
    for junk in (b"\0", b"\xff", b"\xff\0"):
        with pytest.raises(ImageCorruptError, match="too much between"):
            decode(put(start + junk * 200_000 + data[2:]))


def test_libjpeg_takes_its_bytes_as_is_relied_on() -> None:
    """A decoder that is not through leaves a byte at one of any two ends that are one byte apart."""
    data = whole("baseline")
    image: Any = Image.open(io.BytesIO(data))
    ((name, extents, _, args),) = image.tile
    decoder = Image._getdecoder(image.mode, name, args, image.decoderconfig)
    decoder.setimage(Image.core.new(image.mode, image.size), extents)
    taken, left = 0, []
    ((start, end),) = jpeg.parts_of(data).segments
    for stop in range(start + 20, end):
        count, error = decoder.decode(data[taken:stop])
        assert (count >= 0, error) == (True, 0)
        taken += count
        left.append(stop - taken)
    assert all(left[at] or left[at + 1] for at in range(len(left) - 1))
    decoder.cleanup()


def test_a_size_that_is_not_taken_is_reported_before_restart_intervals_are_counted(
    put: Callable[[bytes], Path],
) -> None:
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
    assert jpeg.parts_of(data).resumable
    monkeypatch.setattr(jpeg, "MAX_CHECKED", 1000)
    parts = jpeg.parts_of(data)
    assert (parts.resumable, len(parts.segments)) == (False, 1000)
    np.testing.assert_array_equal(decode(put(data)).rgb, by_pillow(data))
