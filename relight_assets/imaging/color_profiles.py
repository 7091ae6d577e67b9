"""What colours a file says that it has, as ICC profiles, in the order in which browsers believe them.

PNG, Third Edition, section 4.3: cICP before iCCP before sRGB before gAMA with cHRM.  The rest is what Chromium does
(``png_image_decoder.cc``, ``SkPngRustCodec.cpp``) and Firefox (``nsPNGDecoder.cpp``): gAMA counts without cHRM, unless
it is within 5 % of 1 / 2.2; cHRM without gAMA does not.  Neither reads the colour space or the interoperability index
(R03, Adobe RGB) in EXIF, so those count nothing here either.
"""

import functools
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import srgb_to_linear
from relight_assets.errors import ImageFormatError

SRGB = b""
"""Instead of a profile: the values are sRGB, whatever is declared after it."""
MAX_PROFILE = 16 << 20
"""Bytes.  A JPEG holds no larger profile; of a PNG's, libpng takes 8 MB."""

COLOR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_NEUTRAL = (0.95, 1.05)
_FIXED = 100_000

# ITU-T H.273, tables 2 and 3: white, red, green, blue as x, y; and the power, or the name, of the curve.
_PRIMARIES = {
    1: _SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_SRGB_CURVE, _VIDEO_CURVE = "sRGB", "BT.709"
_CURVES: dict[int, str | float] = {
    1: _VIDEO_CURVE, 4: 2.2, 5: 2.8, 6: _VIDEO_CURVE, 8: 1.0, 13: _SRGB_CURVE, 14: _VIDEO_CURVE, 15: _VIDEO_CURVE,
}  # fmt: skip
_HDR = {16: "PQ", 18: "HLG"}

_MAKER = b"rlgt"
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SAMPLES = 255 * 16 + 1  # every 8-bit value is one of them


def of_png(chunks: dict[bytes, bytes]) -> tuple[bytes, ...]:
    """The profiles that a PNG's colour chunks stand for; the first that can be used counts.

    Args:
        chunks: the content of each of ``COLOR_CHUNKS`` that stands before the pixels.

    Raises:
        ImageFormatError: high dynamic range (PQ or HLG), which 8 bits of sRGB do not hold.
    """
    return tuple(_of_png(chunks))


def _of_png(chunks: dict[bytes, bytes]) -> Iterator[bytes]:
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2:] == b"\0\1" and cicp[0] in _PRIMARIES:  # RGB, full range
        if cicp[1] in _HDR:
            raise ImageFormatError(
                f"The image has high dynamic range ({_HDR[cicp[1]]}), which is not taken. Save it as 8-bit sRGB."
            )
        if cicp[1] in _CURVES:
            yield profile(_PRIMARIES[cicp[0]], _CURVES[cicp[1]])
    if b"iCCP" in chunks:
        yield _inflated(chunks[b"iCCP"])
    if len(chunks.get(b"sRGB", b"")) == 1:
        yield SRGB
    gamma = _numbers(chunks.get(b"gAMA", b""), 1)
    if not gamma or gamma[0] <= 0:
        return
    places = _numbers(chunks.get(b"cHRM", b""), 8)
    if places and (found := profile(places, 1 / gamma[0])):
        yield found
    elif not _NEUTRAL[0] < 2.2 * gamma[0] < _NEUTRAL[1]:
        yield profile(_SRGB_PRIMARIES, 1 / gamma[0])


def of_bmp(data: bytes) -> tuple[bytes, ...]:
    """The profile that a BMP embeds (BITMAPV5HEADER, bV5CSType ``MBED``)."""
    if len(data) < 138 or data[14:18] != b"\x7c\0\0\0" or data[70:74] != b"DEBM":
        return ()
    start, size = struct.unpack_from("<II", data, 126)
    return (data[14 + start : 14 + start + size],) if size <= MAX_PROFILE else ()


@functools.lru_cache(maxsize=8)
def profile(places: tuple[float, ...], curve: str | float) -> bytes:
    """An ICC profile (version 2) of a display, or nothing where the numbers make none.

    Args:
        places: x and y of white, red, green and blue (CIE 1931).
        curve: the power that gives linear light, or ``sRGB`` or ``BT.709``.
    """
    samples = np.round(np.clip(_linear(np.linspace(0, 1, _SAMPLES), curve), 0, 1) * 65535).astype(">u2").tobytes()
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 9) + b"declared\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz(_D50),
    }
    columns = _colorants(places)
    if columns is None:
        return b""
    trc = b"curv\0\0\0\0" + struct.pack(">I", _SAMPLES) + samples
    tags |= {name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True)}
    return _icc(tags | {name + b"TRC": trc for name in (b"r", b"g", b"b")})


def is_made(profile: bytes) -> bool:
    """Whether a profile is one of :func:`profile`, which is of RGB and counts for gray pixels too."""
    return profile[4:8] == _MAKER


def _linear(values: NDArray[np.float64], curve: str | float) -> NDArray[np.float64]:
    if curve == _SRGB_CURVE:
        return srgb_to_linear(values)
    if curve == _VIDEO_CURVE:
        return np.where(values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45))
    return values ** float(curve)


def _colorants(places: tuple[float, ...]) -> NDArray[np.float64] | None:
    """Red, green and blue as columns of XYZ, adapted to D50 (Bradford); None where they span nothing."""
    xy = np.array(places).reshape(4, 2)
    if (xy[:, 1] <= 0).any() or (np.abs(xy) > 2).any():
        return None
    white, *primaries = np.stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(axis=1)) / xy[:, 1]], axis=1)
    columns = np.stack(primaries, axis=1)
    cones = _BRADFORD @ white
    if abs(np.linalg.det(columns)) < 1e-6 or (cones <= 0).any():
        return None
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD
    found: NDArray[np.float64] = adapted @ columns * np.linalg.solve(columns, white)
    return found if np.abs(found).max() < 2 else None


def _inflated(content: bytes) -> bytes:
    """The profile in an iCCP chunk; whatever cannot be one where it is broken or too large."""
    name, _, rest = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(rest[1:], MAX_PROFILE) if len(name) < 80 and rest[:1] == b"\0" else b"broken"
    except zlib.error:
        return b"broken"
    return found if inflater.eof else b"broken"


def _numbers(content: bytes, count: int) -> tuple[float, ...]:
    if len(content) != 4 * count:
        return ()
    return tuple(each / _FIXED for each in struct.unpack(f">{count}I", content))


def _xyz(values: NDArray[np.float64] | tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(each) * 65536) for each in values))


def _icc(tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", start + len(body), _MAKER, 0x02100000) + b"mntrRGB XYZ " + bytes(12)
    return (header + b"acsp" + bytes(28) + _xyz(_D50)[8:]).ljust(128, b"\0") + table + body
