"""Small real images for the tests, some written by hand where no library writes them."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def gradient(height: int = 80, width: int = 100) -> NDArray[np.uint8]:
    """An image (H, W, 3) in which every pixel tells where it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns * 2, rows * 3, (rows + columns) % 256], axis=-1).astype(np.uint8)


def noisy(height: int = 96, width: int = 80) -> NDArray[np.uint8]:
    """An image (H, W, 3) that does not compress to nothing."""
    noise = np.random.default_rng(7).integers(0, 40, (height, width, 3))
    return (gradient(height, width) // 2 + noise).astype(np.uint8)


def saved(pixels: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file of the format that Pillow calls ``kind``."""
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_by_hand(
    size: tuple[int, int],
    rows: list[bytes],
    *,
    depth: int = 8,
    color: int = 2,
    extra: tuple[tuple[bytes, bytes], ...] = (),
    before_end: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG of unfiltered rows, with extra chunks before IDAT and before IEND."""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *extra, (b"IDAT", data), *before_end, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def over_gray(color: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image that straight alpha over gray 128 gives, rounded to nearest."""
    a = alpha[..., None].astype(np.int64)
    return ((color.astype(np.int64) * a + 128 * (255 - a) + 127) // 255).astype(np.uint8)


def as_rgb(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray as RGB."""
    return np.repeat(gray[..., None], 3, axis=2)


def tiff16(pixels: NDArray[np.uint16]) -> bytes:
    """A TIFF of 16-bit samples, by OpenCV."""
    done, data = cv2.imencode(".tiff", pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    assert done
    return bytes(data)


def packed(samples: NDArray[np.uint8], bits: int) -> list[bytes]:
    """Rows of samples of fewer than 8 bits, as PNG packs them."""
    per_byte = 8 // bits
    shifts = np.arange(per_byte - 1, -1, -1) * bits
    grouped = samples.reshape(samples.shape[0], -1, per_byte).astype(np.uint32) << shifts
    return [bytes(row) for row in grouped.sum(axis=2).astype(np.uint8)]


def big16(samples: NDArray[np.uint16]) -> list[bytes]:
    """Rows of 16-bit samples in PNG byte order."""
    return [row.astype(">u2").tobytes() for row in samples]
