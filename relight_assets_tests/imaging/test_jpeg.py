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

from relight_assets.errors import ImageCorruptError
from relight_assets.imaging import jpeg_parts
from relight_assets.imaging.decode import decode
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
    segments = jpeg_parts.parts_of(data).segments
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


def test_libjpeg_takes_its_bytes_as_is_relied_on() -> None:
    """A decoder that is not through leaves a byte at one of any two ends that are one byte apart."""
    data = whole("baseline")
    image: Any = Image.open(io.BytesIO(data))
    ((name, extents, _, args),) = image.tile
    decoder = Image._getdecoder(image.mode, name, args, image.decoderconfig)
    decoder.setimage(Image.core.new(image.mode, image.size), extents)
    taken, left = 0, []
    ((start, end),) = jpeg_parts.parts_of(data).segments
    for stop in range(start + 20, end):
        count, error = decoder.decode(data[taken:stop])
        assert (count >= 0, error) == (True, 0)
        taken += count
        left.append(stop - taken)
    assert all(left[at] or left[at + 1] for at in range(len(left) - 1))
    decoder.cleanup()
