"""Decoding: limits, downscale, byte copies, and files that misbehave."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from relight_assets.dataset import files, images
from relight_assets.dataset.images import decode
from relight_assets.dataset.png import encode_png
from relight_assets.errors import (
    ImageCorruptError,
    ImageFormatError,
    ImageSizeError,
    PathRefusedError,
    SourceMissingError,
    SourceUnreadableError,
)
from relight_assets_tests.dataset.pictures import chunk, gradient, noisy, png_by_hand, saved

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns on some of the damage

RGB = gradient()
GRAY = np.ascontiguousarray(RGB[..., 0])
ALPHA = np.ascontiguousarray(RGB[..., 2])
WIDE = (100, 80)


def test_longest_side(put: Callable[[bytes], Path]) -> None:
    path = put(saved(noisy(200, 301), "PNG"))
    assert decode(path, image_size=150).rgb.shape == (100, 150, 3)  # 99.67 to nearest
    assert decode(path, image_size=301).rgb.shape == (200, 301, 3)
    assert decode(path, image_size=5000).rgb.shape == (200, 301, 3)
    small = decode(path, image_size=64)
    assert (small.source.width, small.source.height) == (301, 200)
    checkers = (np.indices((128, 128)).sum(axis=0) % 2 * 200).astype(np.uint8)
    assert set(np.unique(decode(put(saved(checkers, "PNG")), image_size=64).rgb)) == {100}  # area mean


def test_verbatim_is_only_what_we_would_write(put: Callable[[bytes], Path]) -> None:
    ours = encode_png(RGB)
    assert decode(put(ours)).verbatim == ours
    rows = [row.tobytes() for row in RGB]
    assert decode(put(png_by_hand(WIDE, rows))).verbatim is not None
    assert decode(put(ours), image_size=64).verbatim is None
    for other in (
        ours + b"trailer",
        png_by_hand(WIDE, rows, extra=((b"tEXt", b"Comment\0here"),)),
        png_by_hand(WIDE, rows, extra=((b"gAMA", struct.pack(">I", 45455)),)),
        png_by_hand(WIDE, rows, before_end=((b"tIME", bytes(7)),)),
        encode_png(GRAY),
        encode_png(np.dstack([RGB, ALPHA])),
        saved(RGB, "BMP"),
    ):
        assert decode(put(other)).verbatim is None


def bomb(width: int, height: int) -> bytes:
    return png_by_hand((width, height), [b""])


@pytest.mark.parametrize(
    "size",
    [(30000, 30000), (13300, 13300), (16385, 64), (64, 16385), (63, 500), (500, 63), (1, 20000), (70000, 9)],
)
def test_sizes_are_judged_before_decoding(size: tuple[int, int], put: Callable[[bytes], Path]) -> None:
    with pytest.raises(ImageSizeError, match="pixels"):
        decode(put(bomb(*size)))


def test_max_pixels(put: Callable[[bytes], Path]) -> None:
    path = put(encode_png(RGB))
    assert decode(path, max_pixels=8000).rgb.shape == RGB.shape
    with pytest.raises(ImageSizeError, match="7,999"):
        decode(path, max_pixels=7999)


def test_text_bombs(put: Callable[[bytes], Path]) -> None:
    bombs = zlib.compress(bytes(200_000_000), 9)
    rows = [row.tobytes() for row in RGB]
    for extra in (
        (b"zTXt", b"a\0\0" + bombs),
        (b"iCCP", b"a\0\0" + bombs),
        (b"iTXt", b"a\0\1\0\0\0" + bombs),
    ):
        try:
            decoded = decode(put(png_by_hand(WIDE, rows, extra=(extra,))))
        except ImageCorruptError:
            continue
        np.testing.assert_array_equal(decoded.rgb, RGB)


def second() -> list[Image.Image]:
    return [Image.fromarray(RGB[::-1].copy())]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_more_than_one_picture_is_refused(kind: str, put: Callable[[bytes], Path]) -> None:
    with pytest.raises(ImageFormatError, match="2 frames or pages"):
        decode(put(saved(RGB, kind, save_all=True, append_images=second())))


def test_run_length_bmp_is_refused(put: Callable[[bytes], Path]) -> None:
    body = b"".join(bytes((64, row % 4)) + b"\0\0" for row in range(64)) + b"\0\1"
    palette = bytes(16)
    info = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 8, 1, len(body), 0, 0, 4, 0)
    start = 14 + 40 + len(palette)
    data = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info + palette + body
    with pytest.raises(ImageFormatError, match="Run-length"):
        decode(put(data))


def test_missing_folder_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError):
        decode(tmp_path / "gone.png")
    with pytest.raises(PathRefusedError):
        decode(tmp_path)
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(PathRefusedError, match="named pipe"):  # and it does not wait for a writer
        decode(pipe)
    with pytest.raises(PathRefusedError, match="device"):
        decode(Path("/dev/zero"))


def test_a_file_that_changes_meanwhile(put: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(encode_png(RGB))
    inner = files._read_up_to

    def grow(file: Any, length: int) -> bytes:
        data = inner(file, length)
        with path.open("ab") as other:
            other.write(b"more")
        return data

    monkeypatch.setattr(files, "_read_up_to", grow)
    with pytest.raises(SourceUnreadableError, match="changed") as caught:
        decode(path)
    assert caught.value.retryable


def test_a_disk_that_fails(put: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(encode_png(RGB))

    def fail(file: Any, length: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "_read_up_to", fail)
    with pytest.raises(SourceUnreadableError, match="Input/output error"):
        decode(path)


def test_a_file_that_is_too_large(put: Callable[[bytes], Path]) -> None:
    path = put(encode_png(RGB))
    with path.open("r+b") as file:
        file.truncate(600 << 20)  # sparse
    with pytest.raises(ImageSizeError, match="bytes"):
        decode(path, max_pixels=64_000_000)


def test_messages_tell_no_metadata(put: Callable[[bytes], Path]) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    data = saved(RGB, "JPEG", exif=exif)
    with pytest.raises(ImageCorruptError) as caught:
        decode(put(data[:-200]))
    assert "Secret" not in str(caught.value)


def test_public_limits() -> None:
    limits = (images.MIN_SIDE, images.MAX_SIDE, images.MAX_PIXELS)
    assert limits == (64, 16384, 64_000_000)


def test_chunk_helper_is_a_png_chunk() -> None:
    assert chunk(b"IEND", b"") == bytes.fromhex("0000000049454e44ae426082")
