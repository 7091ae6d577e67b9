"""Every layout, orientation and profile, to the exact pixel."""

import hashlib
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from relight_assets.errors import (
    ImageFormatError,
)
from relight_assets.imaging.decode import decode
from relight_assets_tests.imaging.sample_images import (
    as_rgb,
    big16,
    gradient,
    noisy,
    over_gray,
    packed,
    png_by_hand,
    saved,
    tiff16,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow warns on some of the damage

RGB = gradient()
GRAY = np.ascontiguousarray(RGB[..., 0])
ALPHA = np.ascontiguousarray(RGB[..., 2])
WIDE = (100, 80)


def layouts() -> dict[str, tuple[bytes, NDArray[np.uint8]]]:
    """Name to (file, the exact pixels to expect)."""
    rgba = np.dstack([RGB, ALPHA])
    wide = RGB.astype(np.uint16) * 257
    wide_gray = GRAY.astype(np.uint16) * 257
    palette = Image.fromarray((GRAY // 64).astype(np.uint8)).convert("P")
    palette.putpalette([10, 20, 30, 200, 100, 50, 0, 255, 0, 7, 7, 7])
    colors = np.array([[10, 20, 30], [200, 100, 50], [0, 255, 0], [7, 7, 7]], np.uint8)[GRAY // 64]
    table_alpha = np.array([0, 128, 255, 255], np.uint8)[GRAY // 64]
    levels = (GRAY // 64).astype(np.uint8)
    keyed = np.where(levels == 2, 0, 255).astype(np.uint8)
    bits = GRAY > 90
    cmyk = np.dstack([RGB, GRAY // 3])
    cmyk_rgb = np.asarray(Image.frombytes("CMYK", WIDE, cmyk.tobytes()).convert("RGB"))
    key_rgb = struct.pack(">HHH", 0, 0, 0)
    key_wide = struct.pack(">H", int(wide_gray[0, 40]))
    return {
        "png rgb": (saved(RGB, "PNG"), RGB),
        "png gray": (saved(GRAY, "PNG"), as_rgb(GRAY)),
        "png gray alpha": (
            saved(Image.merge("LA", (Image.fromarray(GRAY), Image.fromarray(ALPHA))), "PNG"),
            over_gray(as_rgb(GRAY), ALPHA),
        ),
        "png rgba": (saved(rgba, "PNG"), over_gray(RGB, ALPHA)),
        "png palette": (saved(palette, "PNG"), colors),
        "png palette alpha": (
            saved(palette, "PNG", transparency=b"\0\x80\xff\xff"),
            over_gray(colors, table_alpha),
        ),
        "png 1 bit": (saved(Image.fromarray(bits), "PNG"), as_rgb(bits.astype(np.uint8) * 255)),
        "png 2 bit": (png_by_hand(WIDE, packed(levels, 2), depth=2, color=0), as_rgb(levels * 85)),
        "png 2 bit key": (
            png_by_hand(WIDE, packed(levels, 2), depth=2, color=0, extra=((b"tRNS", b"\0\2"),)),
            over_gray(as_rgb(levels * 85), keyed),
        ),
        "png 4 bit key": (
            png_by_hand(WIDE, packed(levels, 4), depth=4, color=0, extra=((b"tRNS", b"\0\2"),)),
            over_gray(as_rgb(levels * 17), keyed),
        ),
        "png gray key": (
            png_by_hand(WIDE, [bytes(row) for row in GRAY], color=0, extra=((b"tRNS", b"\0\x50"),)),
            over_gray(as_rgb(GRAY), np.where(GRAY == 80, 0, 255).astype(np.uint8)),
        ),
        "png rgb key": (
            png_by_hand(WIDE, [row.tobytes() for row in RGB], extra=((b"tRNS", key_rgb),)),
            over_gray(RGB, np.where((RGB == 0).all(axis=2), 0, 255).astype(np.uint8)),
        ),
        "png 16 gray": (png_by_hand(WIDE, big16(wide_gray), depth=16, color=0), as_rgb(GRAY)),
        "png 16 gray key": (
            png_by_hand(WIDE, big16(wide_gray), depth=16, color=0, extra=((b"tRNS", key_wide),)),
            over_gray(as_rgb(GRAY), np.where(GRAY[0, 40] == GRAY, 0, 255).astype(np.uint8)),
        ),
        "png 16 rgb": (png_by_hand(WIDE, big16(wide.reshape(80, 300)), depth=16), RGB),
        "png 16 gray alpha": (
            png_by_hand(
                WIDE,
                big16(np.dstack([wide_gray, ALPHA.astype(np.uint16) * 257]).reshape(80, 200)),
                depth=16,
                color=4,
            ),
            over_gray(as_rgb(GRAY), ALPHA),
        ),
        "png 16 rgba": (
            png_by_hand(WIDE, big16(rgba.astype(np.uint16).reshape(80, 400) * 257), depth=16, color=6),
            over_gray(RGB, ALPHA),
        ),
        "bmp 24": (saved(RGB, "BMP"), RGB),
        "bmp 8": (saved(palette, "BMP"), colors),
        "bmp 1": (saved(Image.fromarray(bits), "BMP"), as_rgb(bits.astype(np.uint8) * 255)),
        "tiff rgb": (saved(RGB, "TIFF"), RGB),
        "tiff lzw": (saved(RGB, "TIFF", compression="tiff_lzw"), RGB),
        "tiff rgba": (saved(rgba, "TIFF"), over_gray(RGB, ALPHA)),
        "tiff 16 gray": (tiff16(wide_gray), as_rgb(GRAY)),
        "tiff 16 rgb": (tiff16(wide), RGB),
        "tiff fax": (
            saved(Image.fromarray(bits), "TIFF", compression="group4"),
            as_rgb(bits * np.uint8(255)),
        ),
        "tiff cmyk": (saved(Image.frombytes("CMYK", WIDE, cmyk.tobytes()), "TIFF"), cmyk_rgb),
        "webp lossless": (saved(RGB, "WEBP", lossless=True), RGB),
        "webp alpha": (saved(rgba, "WEBP", lossless=True, exact=True), over_gray(RGB, ALPHA)),
    }


LAYOUTS = layouts()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_exactly(name: str, put: Callable[[bytes], Path]) -> None:
    data, expected = LAYOUTS[name]
    decoded = decode(put(data))
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.flags.c_contiguous
    assert decoded.rgb.flags.writeable
    np.testing.assert_array_equal(decoded.rgb, expected)
    assert decoded.source.sha256 == hashlib.sha256(data).hexdigest()
    assert (decoded.source.size, decoded.source.width, decoded.source.height) == (len(data), 100, 80)


def test_16_bits_take_the_high_byte(put: Callable[[bytes], Path]) -> None:
    ramp = (np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64)
    gray = decode(put(png_by_hand((64, 64), big16(ramp), depth=16, color=0))).rgb
    color = decode(put(png_by_hand((64, 64), big16(np.repeat(ramp, 3, axis=1)), depth=16))).rgb
    np.testing.assert_array_equal(gray, as_rgb((ramp >> 8).astype(np.uint8)))
    np.testing.assert_array_equal(gray, color)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 2}])
def test_jpeg_is_what_the_library_gives(options: dict[str, Any], put: Callable[[bytes], Path]) -> None:
    data = saved(noisy(), "JPEG", quality=90, **options)
    np.testing.assert_array_equal(decode(put(data)).rgb, np.asarray(Image.open(io.BytesIO(data))))
    assert np.abs(decode(put(data)).rgb.astype(int) - noisy()).mean() < 12


def test_jpeg_gray_and_cmyk(put: Callable[[bytes], Path]) -> None:
    gray = decode(put(saved(GRAY, "JPEG", quality=100))).rgb
    assert np.abs(gray.astype(int) - as_rgb(GRAY)).max() <= 3
    # Adobe's CMYK is stored inverted; read as it stands it would give a negative.
    cmyk = Image.fromarray(RGB).convert("CMYK")
    data = saved(cmyk, "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data
    assert np.abs(decode(put(data)).rgb.astype(int) - RGB).max() <= 6


TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
    9: lambda stored: stored,
    0: lambda stored: stored,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_orientation_is_applied_once(kind: str, orientation: int, put: Callable[[bytes], Path]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    decoded = decode(put(saved(RGB, kind, exif=exif, **options)))
    expected = TURNS[orientation](RGB)
    assert decoded.rgb.shape == expected.shape
    assert np.abs(decoded.rgb.astype(int) - expected).max() <= (4 if kind == "JPEG" else 0)
    assert (decoded.source.height, decoded.source.width) == expected.shape[:2]
    assert decoded.verbatim is None


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage", b"\0" * 40])
def test_broken_exif_costs_nothing(exif: bytes, put: Callable[[bytes], Path]) -> None:
    np.testing.assert_array_equal(decode(put(saved(RGB, "PNG", exif=exif))).rgb, RGB)
    assert decode(put(saved(RGB, "JPEG", exif=exif))).rgb.shape == RGB.shape


def p3_profile() -> bytes:
    """A Display-P3 profile: sRGB's curve over wider primaries, adapted to D50 (ICC.1, mntr, v2)."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(fixed(value) for value in values)

    x = np.linspace(0, 1, 1024)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    samples = np.round(linear * 65535).astype(">u2").tobytes()
    curve = b"curv\0\0\0\0" + struct.pack(">I", 1024) + samples
    name = b"desc\0\0\0\0" + struct.pack(">I", 3) + b"P3\0" + bytes(78)
    tags = {
        b"desc": name,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += padded
    size = start + len(body)
    header = struct.pack(">I4sI", size, b"none", 0x02100000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    header += bytes(28) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return header.ljust(128, b"\0") + table + body


def p3_to_srgb(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    value = pixels / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
    out = np.clip(linear @ matrix.T, 0, 1)
    return 255 * np.where(out <= 0.0031308, out * 12.92, 1.055 * out ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_display_p3_becomes_srgb(kind: str, put: Callable[[bytes], Path]) -> None:
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    skin = np.full((64, 64, 3), (200, 120, 90), np.uint8)
    decoded = decode(put(saved(skin, kind, icc_profile=p3_profile(), **options))).rgb
    expected = p3_to_srgb(skin)
    assert np.abs(expected - skin).max() > 8  # the profile says something
    assert np.abs(decoded - expected).max() < 3.5


def test_profile_with_alpha_changes_the_colour_alone(put: Callable[[bytes], Path]) -> None:
    skin = np.full((64, 64, 3), (200, 120, 90), np.uint8)
    half = np.full((64, 64, 1), 102, np.uint8)
    plain = decode(put(saved(skin, "PNG", icc_profile=p3_profile()))).rgb
    mixed = decode(put(saved(np.dstack([skin, half]), "PNG", icc_profile=p3_profile()))).rgb
    np.testing.assert_array_equal(mixed, over_gray(plain, half[..., 0]))


@pytest.mark.parametrize("profile", ["srgb", "garbage", "cut", "wrong space", "empty tags"])
def test_profiles_that_change_nothing(profile: str, put: Callable[[bytes], Path]) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    p3 = p3_profile()
    content = {
        "srgb": srgb,
        "garbage": b"not a profile" * 40,
        "cut": p3[:150],
        "wrong space": p3.replace(b"mntrRGB ", b"mntrGRAY"),
        "empty tags": p3[:128] + bytes(4),
    }[profile]
    np.testing.assert_array_equal(decode(put(saved(RGB, "PNG", icc_profile=content))).rgb, RGB)


def test_16_bit_rgb_with_a_key_is_refused(put: Callable[[bytes], Path]) -> None:
    wide = RGB.astype(np.uint16).reshape(80, 300) * 257
    data = png_by_hand(WIDE, big16(wide), depth=16, extra=((b"tRNS", bytes(6)),))
    with pytest.raises(ImageFormatError, match="transparent"):
        decode(put(data))
