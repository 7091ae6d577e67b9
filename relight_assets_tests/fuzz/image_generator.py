"""Images of every kind that is taken, damaged in every way, from one seed."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from relight_assets_tests.fuzz.generator import BYTES
from relight_assets_tests.imaging.sample_images import big16, chunk, noisy, png_by_hand, saved, tiff16

_EXTREMES = (0, 1, 2, 63, 255, 256, 4096, 16384, 65535, 2**24 - 1, 2**31 - 1, 2**31, 2**32 - 1)
_PNG_KINDS = (
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"IDAT",
    b"IEND",
    b"iCCP",
    b"gAMA",
    b"cHRM",
    b"cICP",
    b"sRGB",
    b"zTXt",
    b"eXIf",
)
_PNG_KINDS += (b"acTL", b"fcTL", b"fdAT", b"iTXt", b"aaAa", b"AAAA")
_MARKERS = (
    0xC0,
    0xC1,
    0xC2,
    0xC4,
    0xC9,
    0xCC,
    0xD0,
    0xD7,
    0xD8,
    0xD9,
    0xDA,
    0xDB,
    0xDC,
    0xDD,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xFE,
)


@dataclass(frozen=True)
class Damaged:
    """One file that was damaged in one way."""

    source: str
    kind: str
    data: bytes


def sources() -> dict[str, bytes]:
    """Whole files by name; those of geometry are PNGs too."""
    pixels = noisy(96, 80)
    image = Image.fromarray(pixels)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = pixels.astype(np.uint16) * 257
    text = (b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))
    gamma = (b"gAMA", struct.pack(">I", 55556))
    rgba = np.dstack([pixels, pixels[..., :1]])
    return {
        "png": saved(pixels, "PNG", icc_profile=profile, exif=exif),
        "png text": png_by_hand((80, 96), [row.tobytes() for row in pixels], extra=(text, gamma)),
        "png palette": saved(image.quantize(16), "PNG", transparency=3),
        "png 16": png_by_hand((80, 96), big16(wide.reshape(96, 240)), depth=16),
        "png rgba": saved(rgba, "PNG"),
        "png animated": saved(pixels, "PNG", save_all=True, append_images=[image.transpose(0)]),
        "jpeg": saved(pixels, "JPEG", icc_profile=profile * 25, exif=exif),
        "jpeg gray": saved(pixels[..., 0], "JPEG"),
        "jpeg cmyk": saved(image.convert("CMYK"), "JPEG"),
        "jpeg progressive": saved(pixels, "JPEG", progressive=True),
        "jpeg restarts": saved(pixels, "JPEG", restart_marker_blocks=3),
        "jpeg progressive restarts": saved(pixels, "JPEG", restart_marker_rows=1, progressive=True),
        "mpo": saved(pixels, "MPO", save_all=True, append_images=[image]),
        "webp": saved(pixels, "WEBP", icc_profile=profile, exif=exif),
        "webp lossless": saved(pixels, "WEBP", lossless=True),
        "webp alpha": saved(rgba, "WEBP"),
        "webp animated": saved(pixels, "WEBP", save_all=True, append_images=[image.transpose(0)]),
        "bmp": saved(pixels, "BMP"),
        "bmp 8": saved(image.quantize(16), "BMP"),
        "tiff": saved(pixels, "TIFF", icc_profile=profile),
        "tiff lzw": saved(pixels, "TIFF", compression="tiff_lzw"),
        "tiff deflate": saved(pixels, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": saved(pixels, "TIFF", compression="jpeg"),
        "tiff 16": tiff16(wide),
        "depth": png_by_hand((80, 96), big16(wide[..., 0]), depth=16, color=0),
        "normals": png_by_hand((80, 96), [row.tobytes() for row in pixels]),
    }


def _field(rng: Random, data: bytes) -> bytes:
    """A number in the first part of the file is another, as a length, a side or an offset may be."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        size = rng.choice((1, 2, 4))
        place = rng.randrange(4, max(5, min(len(data), rng.choice((64, 600, len(data)))) - size))
        value = rng.choice(_EXTREMES) % 256**size
        damaged[place : place + size] = value.to_bytes(size, rng.choice(("big", "little")))
    return bytes(damaged)


def _pieces_changed(rng: Random, pieces: list[Any]) -> None:
    """Pieces are missing, twice there, or in another order."""
    for _ in range(rng.choice((1, 1, 2))):
        one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        change = rng.randrange(3)
        if change == 0 and len(pieces) > 1:
            del pieces[one]
        elif change == 1:
            pieces[other:other] = [pieces[one]] * rng.choice((1, 1, 5, 200))
        else:
            pieces[one], pieces[other] = pieces[other], pieces[one]


def _chunks(rng: Random, data: bytes) -> bytes:
    """Chunks with right checksums, but others: contents, names, lengths, order."""
    pieces, position = [], 8
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        pieces.append((kind, data[position + 8 : position + 8 + length]))
        position += 12 + length
    if rng.random() < 0.5:
        _pieces_changed(rng, pieces)
    number = rng.randrange(len(pieces))
    kind, content = pieces[number]
    if rng.random() < 0.6 and content:
        content = _field(rng, bytes(4) + content + bytes(4))[4:-4] if rng.random() < 0.5 else _bytes(rng, content)
    pieces[number] = (rng.choice(_PNG_KINDS) if rng.random() < 0.2 else kind, content)
    parts = [chunk(*piece) for piece in pieces]
    if rng.random() < 0.3:
        wrong = rng.randrange(len(parts))
        size = struct.pack(">I", rng.choice(_EXTREMES))
        parts[wrong] = rng.choice((size + parts[wrong][4:], parts[wrong][:-1] + b"\0"))
    return data[:8] + b"".join(parts)


def _segments(rng: Random, data: bytes) -> bytes:
    """Segments of a JPEG are others, and so are their lengths."""
    pieces, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] == 0xDA:
            end = len(data) - 2
        pieces.append(data[position:end])
        position = end
    pieces.append(data[position:])
    if rng.random() < 0.7:
        _pieces_changed(rng, pieces)
    number = rng.randrange(len(pieces))
    piece = pieces[number]
    if rng.random() < 0.6 and len(piece) > 8:
        piece = piece[:2] + _field(rng, bytes(2) + piece[2:] + bytes(4))[2:-4]
    if rng.random() < 0.2:
        piece = b"\xff" + bytes([rng.choice(_MARKERS)]) + piece[2:]
    pieces[number] = piece
    return b"\xff\xd8" + b"".join(pieces)


def _bytes(rng: Random, data: bytes) -> bytes:
    return BYTES[rng.choice(tuple(BYTES))](rng, data)


def damaged(rng: Random, whole: dict[str, bytes]) -> Damaged:
    """One of the files, damaged in one way."""
    name = rng.choice(tuple(whole))
    data = whole[name]
    ways: dict[str, Callable[[Random, bytes], bytes]] = {"field": _field, **BYTES}
    if data.startswith(b"\x89PNG"):
        ways |= {"chunks": _chunks, "chunks again": _chunks}
    if data.startswith(b"\xff\xd8"):
        ways |= {"segments": _segments, "segments again": _segments}
    way = rng.choice(tuple(ways))
    return Damaged(name, way, ways[way](rng, data))


def jpeg_of_many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there ``count`` times."""
    buffer = io.BytesIO()
    Image.fromarray(noisy(96, 80)).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    start = data.rfind(b"\xff\xda")
    return data[:start] + data[start:-2] * count + data[-2:]
