"""What a file is, and whether it is there to its end: never half an image."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from relight_assets.errors import (
    ImageCorruptError,
    ImageError,
    ImageFormatError,
)
from relight_assets.imaging.decode import decode
from relight_assets_tests.imaging.sample_images import gradient, noisy, saved

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns on some of the damage

RGB = gradient()


def whole_files() -> dict[str, bytes]:
    image = noisy()
    return {
        "png": saved(image, "PNG"),
        "jpeg": saved(image, "JPEG"),
        "jpeg progressive": saved(image, "JPEG", progressive=True),
        "jpeg restarts": saved(image, "JPEG", restart_marker_rows=1),
        "webp": saved(image, "WEBP"),
        "webp lossless": saved(image, "WEBP", lossless=True),
        "bmp": saved(image, "BMP"),
        "bmp 8": saved(Image.fromarray(image).quantize(16), "BMP"),
        "tiff": saved(image, "TIFF"),
        "tiff lzw": saved(image, "TIFF", compression="tiff_lzw"),
        "tiff deflate": saved(image, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": saved(image, "TIFF", compression="jpeg"),
        "tiff packbits": saved(image, "TIFF", compression="packbits"),
    }


WHOLE = whole_files()


@pytest.mark.parametrize("name", WHOLE)
def test_a_cut_file_is_never_a_wrong_image(name: str, put: Callable[[bytes], Path]) -> None:
    data = WHOLE[name]
    whole = decode(put(data)).rgb
    cuts = {*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 40, len(data))}
    for cut in sorted(cuts):
        try:
            decoded = decode(put(data[:cut])).rgb
        except (ImageCorruptError, ImageFormatError):
            continue
        np.testing.assert_array_equal(decoded, whole, err_msg=f"cut at {cut} of {len(data)}")


@pytest.mark.parametrize("name", ["jpeg", "jpeg restarts"])
def test_a_cut_jpeg_with_an_end_put_on_is_noticed(name: str, put: Callable[[bytes], Path]) -> None:
    data = WHOLE[name]
    for cut in range(len(data) // 2, len(data) - 32, 37):
        with pytest.raises(ImageCorruptError):
            decode(put(data[:cut].rstrip(b"\xff") + b"\xff\xd9"))


def test_damage_inside_a_png_is_noticed(put: Callable[[bytes], Path]) -> None:
    data = WHOLE["png"]
    for position in range(8, len(data), 211):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(ImageError):
            decode(put(bytes(damaged)))


@pytest.mark.parametrize("name", WHOLE)
def test_noise_in_a_file_is_an_error_or_an_image(name: str, put: Callable[[bytes], Path]) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(WHOLE[name])
        for position in rng.integers(0, min(len(damaged), 600), 4):
            damaged[position] = rng.integers(0, 256)
        try:
            decoded = decode(put(bytes(damaged)), max_pixels=1_000_000)
        except ImageError:
            continue
        assert decoded.rgb.ndim == 3


def second() -> list[Image.Image]:
    return [Image.fromarray(RGB[::-1].copy())]


def test_first_image_of_a_phones_mpo(put: Callable[[bytes], Path]) -> None:
    data = saved(RGB, "MPO", save_all=True, append_images=second(), quality=100, subsampling=0)
    assert np.abs(decode(put(data)).rgb.astype(int) - RGB).max() <= 4


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", ImageCorruptError, "empty"),
        (bytes(5000), ImageFormatError, "zero bytes"),
        (b"<!DOCTYPE html><html><body>404", ImageFormatError, "HTML"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', ImageFormatError, "SVG"),
        (b"just some text\n", ImageFormatError, "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", ImageFormatError, "Git LFS"),
        (b"GIF89a" + bytes(40), ImageFormatError, "GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(40), ImageFormatError, "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(40), ImageFormatError, "AVIF"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), ImageFormatError, "video"),
        (b"%PDF-1.7\n", ImageFormatError, "PDF"),
        (b"PK\x03\x04" + bytes(40), ImageFormatError, "ZIP"),
        (b"\x93random\x00\x01\x02" * 20, ImageFormatError, "no known kind"),
        (saved(Image.fromarray(RGB), "AVIF"), ImageFormatError, "AVIF"),
        (saved(Image.fromarray(RGB).convert("F"), "TIFF"), ImageFormatError, "'F'"),
        (saved(Image.fromarray(RGB).convert("I"), "TIFF"), ImageFormatError, "'I'"),
        (saved(Image.fromarray(RGB).convert("LAB"), "TIFF"), ImageFormatError, "'LAB'"),
        (bytes(cv2.imencode(".tiff", RGB.astype(np.float32))[1]), ImageFormatError, "float"),
    ],
)
def test_what_is_not_taken(data: bytes, error: type[ImageError], words: str, put: Callable[[bytes], Path]) -> None:
    with pytest.raises(error, match=words) as caught:
        decode(put(data))
    assert type(caught.value) is error
    assert "'photo.jpg'" in str(caught.value)
