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

from relight_assets.core.hashing import sha256_hex
from relight_assets.errors import (
    ForgottenError,
    ImageCorruptError,
    ImageFormatError,
    ImageSizeError,
    PathRefusedError,
    SourceMissingError,
    SourceUnreadableError,
)
from relight_assets.imaging import decode as images
from relight_assets.imaging.decode import decode
from relight_assets.imaging.png import encode_png
from relight_assets.storage import files
from relight_assets_tests.imaging.sample_images import chunk, gradient, noisy, png_by_hand, saved

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns on some of the damage

RGB = gradient()
GRAY = np.ascontiguousarray(RGB[..., 0])
ALPHA = np.ascontiguousarray(RGB[..., 2])
WIDE = (100, 80)


def test_a_photo_that_was_forgotten_is_not_decoded(put: Callable[[bytes], Path]) -> None:
    data = saved(noisy(100, 100), "PNG")[:-20]
    with pytest.raises(ImageCorruptError):
        decode(put(data), forgotten={"0" * 64})
    with pytest.raises(ForgottenError):
        decode(put(data), forgotten={sha256_hex(data)})


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


def test_text_and_profiles_of_any_size_cost_no_image(put: Callable[[bytes], Path]) -> None:
    rows = [row.tobytes() for row in RGB]
    text = bytes(range(32, 127)) * 40_000
    for extra in (
        (b"tEXt", b"a\0" + text),
        (b"zTXt", b"a\0\0" + zlib.compress(text)),
        (b"iTXt", b"a\0\1\0\0\0" + zlib.compress(text)),
        (b"iCCP", b"a\0\0" + zlib.compress(text)),
        (b"prVt", text),
    ):
        for places in ({"extra": (extra,) * 20}, {"before_end": (extra,) * 20}):
            np.testing.assert_array_equal(decode(put(png_by_hand(WIDE, rows, **places))).rgb, RGB)


def wrong(kind: bytes, content: bytes) -> bytes:
    """A chunk whose checksum is wrong."""
    whole = chunk(kind, content)
    return whole[:-1] + bytes([whole[-1] ^ 1])


def test_a_wrong_checksum_counts_where_pixels_need_the_chunk(put: Callable[[bytes], Path]) -> None:
    image = Image.fromarray(RGB).quantize(16)
    data = saved(image, "PNG", transparency=b"\xff" * 8)
    for kind in (b"tEXt", b"pHYs", b"eXIf", b"iCCP", b"gAMA", b"tIME", b"prVt"):
        found = decode(put(data[:33] + wrong(kind, b"\0\0\0\1") + data[33:])).rgb
        np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))
    for kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
        start = data.index(kind) - 4
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        with pytest.raises(ImageCorruptError, match=f"checksum of its '{kind.decode()}' chunk"):
            decode(put(data[:start] + wrong(kind, data[start + 8 : end - 4]) + data[end:]))
    verbatim = encode_png(RGB)
    other = decode(put(verbatim[:33] + wrong(b"tIME", bytes(7)) + verbatim[33:]))
    np.testing.assert_array_equal(other.rgb, RGB)
    assert other.verbatim is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_the_limits_of_a_library_are_not_ours(
    kind: str, put: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(saved(RGB, kind, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {})))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # a quarter of the image
    monkeypatch.setattr(images, "_BAND", 8)
    assert np.abs(decode(path, max_pixels=8000).rgb.astype(int) - RGB).max() <= 4
    assert images.size_of(path) == WIDE


def test_pillow_s_limit_is_never_below_ours() -> None:
    assert Image.MAX_IMAGE_PIXELS == images.MAX_SIDE**2


@pytest.mark.parametrize("kind", ["VP8X", "VP8L", "VP8 "])
def test_a_webp_s_canvas_is_judged_before_there_is_one(kind: str, put: Callable[[bytes], Path]) -> None:
    sides = {
        "VP8X": bytes(4) + (16383 - 1).to_bytes(3, "little") * 2,
        "VP8L": b"\x2f" + (16382 | 16382 << 14).to_bytes(4, "little") + bytes(5),
        "VP8 ": bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383),
    }[kind]
    content = kind.encode() + struct.pack("<I", len(sides)) + sides
    with pytest.raises(ImageSizeError, match="16383x16383 pixels are too many"):
        decode(put(b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content))


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}])
def test_size_by_header(options: dict[str, Any], put: Callable[[bytes], Path]) -> None:
    assert images.size_of(put(saved(RGB, "WEBP", **options))) == WIDE
    assert images.size_of(put(saved(RGB, "PNG"))) == WIDE
    assert images.size_of(put(saved(RGB, "JPEG"))) == WIDE
    assert images.size_of(put(b"RIFF\0\0\0\0WEBP")) == (0, 0)


def test_a_png_of_chunks_without_end(put: Callable[[bytes], Path]) -> None:
    data = encode_png(RGB)
    with pytest.raises(ImageCorruptError, match="more than 400,000 chunks"):
        decode(put(data[:33] + chunk(b"IDAT", b"") * 450_000 + data[33:]))


def second() -> list[Image.Image]:
    return [Image.fromarray(RGB[::-1].copy())]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_more_than_one_image_is_refused(kind: str, put: Callable[[bytes], Path]) -> None:
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
