"""Colours as files declare them, against the arithmetic of their standards."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from relight_assets.errors import ImageFormatError
from relight_assets.imaging.color_profiles import MAX_PROFILE
from relight_assets.imaging.decode import decode
from relight_assets_tests.imaging.sample_images import gradient, png_by_hand, saved
from relight_assets_tests.imaging.test_normalize import p3_profile, p3_to_srgb

RGB = gradient()
SKIN = np.full((64, 64, 3), (200, 120, 90), np.uint8)
SRGB_PLACES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_PLACES = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
P3, BT2020, SRGB_CURVE, LINEAR, PQ, HLG = 12, 9, 13, 8, 16, 18

Chunks = tuple[tuple[bytes, bytes], ...]


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def places(values: tuple[int, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *values)


def cicp(primaries: int, curve: int, matrix: int = 0, full: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, curve, matrix, full))


def iccp(content: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"name\0\0" + zlib.compress(content)


SRGB_CHUNK = (b"sRGB", b"\0")


def png(pixels: NDArray[np.uint8], *extra: tuple[bytes, bytes]) -> bytes:
    gray = pixels.ndim == 2
    rows = [row.tobytes() for row in pixels]
    return png_by_hand(pixels.shape[1::-1], rows, color=0 if gray else 2, extra=extra)  # type: ignore[arg-type]


def encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.clip(linear, 0, 1)
    return 255 * np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def powered(pixels: NDArray[np.uint8], power: float) -> NDArray[np.float64]:
    return encoded((pixels / 255.0) ** power)


@pytest.mark.parametrize(
    "extra",
    [
        (SRGB_CHUNK,),
        (SRGB_CHUNK, gamma(100_000), places(ADOBE_PLACES)),
        (gamma(45455),),
        (gamma(47000),),
        (places(ADOBE_PLACES),),
        (gamma(0), places(ADOBE_PLACES)),
        (gamma(0),),
        (cicp(1, SRGB_CURVE), gamma(100_000)),
        (cicp(1, SRGB_CURVE), iccp(p3_profile())),
        ((b"cICP", b"short"), SRGB_CHUNK),
        (cicp(P3, SRGB_CURVE, matrix=1),),
        (cicp(P3, SRGB_CURVE, full=0),),
        (cicp(200, SRGB_CURVE),),
        (cicp(P3, 200),),
        (iccp(b"broken"), SRGB_CHUNK, gamma(100_000)),
        (iccp(bytes(MAX_PROFILE + 1)), SRGB_CHUNK),
        ((b"iCCP", b"name\0\0garbage"),),
        ((b"gAMA", b"\0"), (b"cHRM", b"")),
    ],
)
def test_what_changes_nothing(extra: Chunks, put: Callable[[bytes], Path]) -> None:
    np.testing.assert_array_equal(decode(put(png(RGB, *extra))).rgb, RGB)


@pytest.mark.parametrize(("value", "power"), [(100_000, 1.0), (55556, 1.8), (30000, 1 / 0.3)])
@pytest.mark.parametrize("gray", [False, True])
def test_gamma_counts_alone(value: int, power: float, gray: bool, put: Callable[[bytes], Path]) -> None:
    pixels = np.ascontiguousarray(RGB[..., 2]) if gray else RGB
    found = decode(put(png(pixels, gamma(value)))).rgb
    wanted = powered(np.repeat(pixels[..., None], 3, axis=2) if gray else pixels, power)
    assert np.abs(wanted - pixels.reshape(*pixels.shape[:2], -1)).max() > 15
    assert np.abs(found - wanted).max() <= 1.5


def test_gamma_and_primaries_count_together(put: Callable[[bytes], Path]) -> None:
    found = decode(put(png(SKIN, gamma(45455), places(ADOBE_PLACES)))).rgb
    matrix = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])  # Adobe RGB (1998) to sRGB, linear
    wanted = encoded((SKIN / 255.0) ** 2.2 @ matrix.T)
    assert np.abs(wanted - SKIN).max() > 15
    assert np.abs(found - wanted).max() <= 1.5


def test_coding_independent_code_points_count_first(put: Callable[[bytes], Path]) -> None:
    others = (iccp(b"broken"), SRGB_CHUNK, gamma(100_000))
    found = decode(put(png(SKIN, cicp(P3, SRGB_CURVE), *others))).rgb
    assert np.abs(found - p3_to_srgb(SKIN)).max() <= 1.5
    linear = decode(put(png(SKIN, cicp(1, LINEAR), *others))).rgb
    assert np.abs(linear - powered(SKIN, 1.0)).max() <= 1.5


def test_an_icc_profile_counts_before_srgb_and_gamma(put: Callable[[bytes], Path]) -> None:
    found = decode(put(png(SKIN, gamma(100_000), SRGB_CHUNK, iccp(p3_profile())))).rgb
    assert np.abs(found - p3_to_srgb(SKIN)).max() < 3.5
    # One that does not fit counts nothing, and what comes after it does.
    fallen = decode(put(png(SKIN, iccp(gray_profile(1.0)), gamma(100_000)))).rgb
    assert np.abs(fallen - powered(SKIN, 1.0)).max() <= 1.5


def test_what_is_declared_after_the_pixels_counts_nothing(put: Callable[[bytes], Path]) -> None:
    data = png_by_hand((100, 80), [row.tobytes() for row in RGB], before_end=(gamma(100_000), iccp(p3_profile())))
    np.testing.assert_array_equal(decode(put(data)).rgb, RGB)


@pytest.mark.parametrize("curve", [PQ, HLG])
def test_high_dynamic_range_is_refused(curve: int, put: Callable[[bytes], Path]) -> None:
    with pytest.raises(ImageFormatError, match=r"high dynamic range \((PQ|HLG)\)"):
        decode(put(png(SKIN, cicp(BT2020, curve))))


def test_a_palette_has_colours_too(put: Callable[[bytes], Path]) -> None:
    image = Image.fromarray(RGB).quantize(16)
    plain = saved(image, "PNG")
    declared = plain[:33] + png(RGB, gamma(100_000))[33:49] + plain[33:]
    wanted = powered(np.asarray(image.convert("RGB")), 1.0)
    assert np.abs(decode(put(declared)).rgb - wanted).max() <= 1.5


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_gray_profiles_and_large_ones(kind: str, put: Callable[[bytes], Path]) -> None:
    gray = np.ascontiguousarray(RGB[..., 2])
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(kind, {})
    if kind != "WEBP":  # which has no gray
        found = decode(put(saved(gray, kind, icc_profile=gray_profile(1.8), **options))).rgb
        assert np.abs(found - powered(gray, 1.8)[..., None]).max() <= (8 if kind == "JPEG" else 1.5)
    # Of several segments in a JPEG, and of more than Pillow takes in a PNG.
    wide = padded(p3_profile(), 1_500_000)
    found = decode(put(saved(SKIN, kind, icc_profile=wide, **options))).rgb
    assert np.abs(found - p3_to_srgb(SKIN)).max() < 4


def gray_profile(power: float) -> bytes:
    """A gray profile: that of Display P3 with one curve of one number."""
    content = bytearray(p3_profile().replace(b"mntrRGB ", b"mntrGRAY").replace(b"rTRC", b"kTRC"))
    start = int.from_bytes(content[content.index(b"kTRC") + 4 :][:4], "big")
    content[start + 8 : start + 14] = struct.pack(">IH", 1, round(power * 256))
    return bytes(content)


def padded(content: bytes, size: int) -> bytes:
    """A profile with as many bytes behind it, which count to it, of a kind that does not deflate to nothing."""
    whole = content + np.random.default_rng(0).bytes(size - len(content))
    return struct.pack(">I", len(whole)) + whole[4:]


def test_cmyk_with_a_profile(put: Callable[[bytes], Path]) -> None:
    cmyk = Image.fromarray(SKIN).convert("CMYK")
    rgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = decode(put(saved(cmyk, "JPEG", quality=100, icc_profile=rgb))).rgb  # does not fit
    assert np.abs(found.astype(int) - SKIN).max() <= 6


def test_a_bmp_may_embed_a_profile(put: Callable[[bytes], Path]) -> None:
    plain = saved(SKIN, "BMP")
    content = p3_profile()
    pixels = plain[54:]
    info = struct.pack("<IiiHHIIiiII", 124, 64, 64, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16)
    info += b"DEBM" + bytes(48) + struct.pack("<IIII", 4, 124 + len(pixels), len(content), 0)
    data = b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels) + len(content), 0, 0, 138) + info + pixels + content
    assert len(info) == 124
    assert np.abs(decode(put(data)).rgb - p3_to_srgb(SKIN)).max() < 3.5


@pytest.mark.parametrize("space", [2, 0xFFFF])
def test_exif_says_nothing_of_colours(space: int, put: Callable[[bytes], Path]) -> None:
    """As in browsers: the Adobe RGB of cameras that mark it in EXIF alone is shown as sRGB."""
    exif = Image.Exif()
    inner = exif.get_ifd(0x8769)
    inner[0xA001] = space
    exif.get_ifd(0xA005)[1] = "R03"
    plain, marked = (decode(put(saved(RGB, "JPEG", **options))).rgb for options in ({}, {"exif": exif}))
    np.testing.assert_array_equal(plain, marked)
