"""The fast PNG writer, and the reader for what it wrote.

Written are only the chunks IHDR, IDAT and IEND (PNG, Third Edition, section 5): no colour chunk, no
text, no time, so the same pixels are the same bytes.  Every row has filter type 2 (Up), the stream is
DEFLATE level 1 of isa-l: about a third of the time of OpenCV's encoder at the same size.
"""

import math
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.errors import ImageCorruptError

try:
    from isal import isal_zlib

    HAS_ISAL = True
except ImportError:  # no wheel for this machine: OpenCV's own encoder does it, slower
    HAS_ISAL = False

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPE_RGB = 2
_COLOR_TYPES = {1: 0, 3: COLOR_TYPE_RGB, 4: 6}  # channels: gray, RGB, RGB with alpha (PNG, table 8)
_MAX_CHUNK = 2**31 - 1
MAX_CHUNKS = 400_000
"""In one file.  An image of 16384 x 16384 in libpng's chunks of 8 KiB has 262,144 at most."""
_FILTER_UP = 2
_MAX_RATIO = 1032
"""By how much DEFLATE shortens at most."""
_HEAD = 16
"""Bytes of a stream that isa-l's slow, careful loop takes by itself, without its fast one."""


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """The pixels as a PNG file.

    Args:
        pixels: uint8, (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGB with straight alpha; any strides.

    Raises:
        ValueError: another shape or type, or no pixel at all.
    """
    channels = _channels(pixels)
    height, width = pixels.shape[:2]
    if not HAS_ISAL:
        return _encode_with_cv2(pixels, channels)
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]  # the row above the first is all zero
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])  # modulo 256, as the filter wants it
    return _file(filtered, width, height, channels)


def _file(filtered: NDArray[np.uint8], width: int, height: int, channels: int) -> bytes:
    """A PNG of filtered rows, (H, 1 + W * channels)."""
    stream = memoryview(_deflated(filtered.data.cast("B")))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)
    parts = [SIGNATURE, *_chunk(b"IHDR", header)]
    for start in range(0, len(stream), _MAX_CHUNK):
        parts += _chunk(b"IDAT", stream[start : start + _MAX_CHUNK])
    parts += _chunk(b"IEND", b"")
    return b"".join(parts)


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG file of the kinds that :func:`encode_png` writes.

    Returns:
        uint8, contiguous: (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGB with straight alpha.

    Raises:
        ImageCorruptError: damage anywhere in the file, or a PNG of another kind.
    """
    channels, stream = _checked(data)
    width, height = size_of(data)
    filtered = _inflated(stream, width, height, channels) if HAS_ISAL else None
    if filtered is not None:  # in less than half of OpenCV's time
        return _summed(filtered[:, 1:]).reshape((height, width) if channels == 1 else (height, width, channels))
    buffer = np.frombuffer(data, np.uint8)
    flag = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR_RGB, 4: cv2.IMREAD_UNCHANGED}[channels]
    try:
        pixels = cv2.imdecode(buffer, flag)
    except cv2.error as error:
        raise ImageCorruptError("The PNG's pixel data cannot be decoded.") from error
    if pixels is None or (1 if pixels.ndim == 2 else pixels.shape[2]) != channels:
        raise ImageCorruptError("The PNG's pixel data cannot be decoded.")
    if channels == 4:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def alpha_png(data: bytes) -> bytes:
    """The alpha of an RGBA PNG as a gray PNG, the same bytes as :func:`encode_png` gives of it.

    Of a file of ours, which has the differences between rows of alpha already, nothing is decoded but DEFLATE.

    Raises:
        ImageCorruptError: as :func:`decode_png`, and of a PNG without alpha.
    """
    channels, stream = _checked(data)
    if channels != 4:
        raise ImageCorruptError("The PNG has no alpha.")
    width, height = size_of(data)
    filtered = _inflated(stream, width, height, channels) if HAS_ISAL else None
    if filtered is None:
        return encode_png(decode_png(data)[..., 3])
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = _FILTER_UP
    rows[:, 1:] = filtered[:, 4::4]
    return _file(rows, width, height, 1)


def _inflated(stream: bytes, width: int, height: int, channels: int) -> NDArray[np.uint8] | None:
    """The filtered rows of what :func:`encode_png` wrote, (H, 1 + W * channels); None of what others wrote."""
    length = height * (1 + width * channels)
    if not width or not 0 < length <= len(stream) * _MAX_RATIO:
        return None
    inflater = isal_zlib.decompressobj()
    try:
        raw = inflater.decompress(stream, length + 1)  # one more, to notice a stream that is too long
    except isal_zlib.error:  # type: ignore[misc]  # its stub has an instance for the class
        return None
    if len(raw) != length or not inflater.eof:
        return None
    filtered = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * channels)
    return None if (filtered[:, 0] != _FILTER_UP).any() else filtered


def _summed(differences: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each row plus all rows above it, modulo 256.

    In blocks of rows: first all blocks at once, row by row, then block by block.  So there are few calls, which threads
    would wait for each other to make.
    """
    height = len(differences)
    side = math.isqrt(height)
    whole = side * side
    rows = differences.copy()
    blocks = rows[:whole].reshape(side, side, -1)
    for row in range(1, side):
        blocks[:, row] += blocks[:, row - 1]
    for block in range(1, side):
        blocks[block] += blocks[block - 1, -1]
    for row in range(whole, height):
        rows[row] += rows[row - 1]
    return rows


def chunks(data: bytes, *, pixels_only: bool = False) -> Iterator[tuple[bytes, memoryview]]:
    """Type and content of each chunk, IEND last, every length and CRC checked (PNG, section 5).

    Bytes after IEND are not looked at.

    Args:
        data: the file.
        pixels_only: leave out chunks with a wrong CRC that no pixel needs (ancillary ones but tRNS), as libpng does.

    Raises:
        ImageCorruptError: no PNG signature, a CRC that does not match, or an end before IEND.
    """
    if not data.startswith(SIGNATURE):
        raise ImageCorruptError("The bytes do not start with a PNG signature.")
    view = memoryview(data)
    position, count = len(SIGNATURE), 0
    while position + 12 <= len(view):
        count += 1
        if count > MAX_CHUNKS:
            raise ImageCorruptError(f"The PNG has more than {MAX_CHUNKS:,} chunks; no program writes so many.")
        length, kind = struct.unpack_from(">I4s", view, position)
        end = position + 12 + length
        if length > _MAX_CHUNK or end > len(view):
            break
        (crc,) = struct.unpack_from(">I", view, end - 4)
        if _crc32(view[position + 4 : end - 4]) == crc:
            yield kind, view[position + 8 : end - 4]
        elif not pixels_only or kind == b"tRNS" or not kind[:1].islower():
            raise ImageCorruptError(f"The PNG is damaged: the checksum of its {_shown(kind)} chunk is wrong.")
        if kind == b"IEND":
            return
        position = end
    raise ImageCorruptError("The PNG ends before its last chunk: the file is cut off.")


def is_minimal_rgb(data: bytes) -> bool:
    """Whether a PNG is what :func:`encode_png` writes of RGB: 8 bits, not interlaced, no other chunk.

    Raises:
        ImageCorruptError: as :func:`chunks`.
    """
    kinds: list[bytes] = []
    header = b""
    length = len(SIGNATURE)
    for kind, content in chunks(data, pixels_only=True):
        kinds.append(kind)
        length += 12 + len(content)
        if kind == b"IHDR":
            header = bytes(content)
    plain = header[8:] == bytes((8, COLOR_TYPE_RGB, 0, 0, 0))
    ordered = kinds[0] == b"IHDR" and set(kinds[1:-1]) == {b"IDAT"} and kinds[-1] == b"IEND"
    return plain and ordered and length == len(data)


def only(data: bytes, kinds: frozenset[bytes]) -> bytes:
    """The file with the chunks of some kinds alone, in their order; ``data`` itself where there is nothing else.

    Raises:
        ImageCorruptError: as :func:`chunks`, of chunks that pixels need.
    """
    parts: list[bytes | memoryview] = [SIGNATURE]
    for kind, content in chunks(data, pixels_only=True):
        if kind in kinds:
            parts += _chunk(kind, content)
    return data if sum(map(len, parts)) == len(data) else b"".join(parts)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height as the header of a PNG states them, which must be whole."""
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _crc32(data: bytes | memoryview, start: int = 0) -> int:
    return isal_zlib.crc32(data, start) if HAS_ISAL else zlib.crc32(data, start)


def _deflated(raw: memoryview) -> bytes:
    """Compress as a zlib stream (RFC 1950) whose bytes follow from ``raw`` alone.

    isa-l's fast loop makes the hash of a stream's third byte from the address of its own state (2.31:
    ``.write_first_byte`` of ``igzip_icf_body_h1_gr_bt.asm``), so one stream in 250 comes out different.  The first
    bytes are therefore flushed through the other loop; the fast one then goes on from a history.
    """
    stream = isal_zlib.compressobj(1)
    head = stream.compress(raw[:_HEAD]) + stream.flush(isal_zlib.Z_SYNC_FLUSH)
    return b"".join((head, stream.compress(raw[_HEAD:]), stream.flush()))


def _chunk(kind: bytes, content: bytes | memoryview) -> tuple[bytes, bytes | memoryview, bytes]:
    # Three parts and not one, so that the pixel data is copied once, by the final join.
    crc = _crc32(content, _crc32(kind))
    return struct.pack(">I4s", len(content), kind), content, struct.pack(">I", crc)


def _channels(pixels: NDArray[np.uint8]) -> int:
    if pixels.dtype != np.uint8:
        raise ValueError(f"a PNG is written from uint8, not from {pixels.dtype}")
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    if pixels.ndim not in {2, 3} or channels not in _COLOR_TYPES or pixels.shape[2:] == (1,) or not pixels.size:
        raise ValueError(f"a PNG is written from (H, W), (H, W, 3) or (H, W, 4), not from {pixels.shape}")
    return channels


def _encode_with_cv2(pixels: NDArray[np.uint8], channels: int) -> bytes:
    # No parameters on purpose: naming a level makes OpenCV drop its fast strategy.
    swap = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(channels)
    source = np.ascontiguousarray(pixels)
    ordered = source if swap is None else cv2.cvtColor(source, swap)
    done, data = cv2.imencode(".png", ordered)
    if not done:
        raise ValueError("OpenCV could not encode the image as PNG")
    return bytes(data)


def _checked(data: bytes) -> tuple[int, bytes]:
    """How many channels a PNG of ours has, and its compressed pixels."""
    header = b""
    parts: list[memoryview] = []
    for position, (kind, content) in enumerate(chunks(data)):
        if position == 0 and kind == b"IHDR":
            header = bytes(content)
        elif kind == b"IDAT":
            parts.append(content)
    channels = next((n for n, color in _COLOR_TYPES.items() if header[8:] == bytes((8, color, 0, 0, 0))), 0)
    if not channels:
        raise ImageCorruptError("The PNG is none of ours: not 8-bit gray, RGB or RGBA without interlace.")
    return channels, b"".join(parts)


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))
