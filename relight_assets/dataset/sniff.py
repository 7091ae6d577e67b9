"""What bytes are, by their first bytes and their frame, before any decoder sees them."""

import re
from typing import Literal

from relight_assets.dataset import png
from relight_assets.errors import ImageCorruptError, ImageFormatError

_ALLOWED = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(re.escape(png.SIGNATURE))),
    ("WEBP", re.compile(rb"RIFF[\s\S]{4}WEBP")),
    ("TIFF", re.compile(rb"II\*\0|MM\0\*")),
    ("BMP", re.compile(rb"BM[\s\S]{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0")),
)
FORMATS = tuple(name for name, _ in _ALLOWED)
"""The formats that are taken, by Pillow's names."""

_REFUSED = (
    ("a GIF", re.compile(rb"GIF8")),
    ("an AVIF picture", re.compile(rb"[\s\S]{4}ftyp(?:avif|avis)")),
    ("a HEIC picture", re.compile(rb"[\s\S]{4}ftyp(?:hei|hev|mif1|msf1)")),
    ("a video", re.compile(rb"[\s\S]{4}ftyp|\x1aE\xdf\xa3|RIFF[\s\S]{4}AVI ")),
    ("a JPEG 2000 picture", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51")),
    ("a JPEG XL picture", re.compile(rb"\0\0\0\x0cJXL |\xff\x0a")),
    ("a BigTIFF", re.compile(rb"II\+\0|MM\0\+")),
    ("a Photoshop file", re.compile(rb"8BPS")),
    ("a PDF", re.compile(rb"%PDF-")),
    ("a ZIP archive", re.compile(rb"PK\x03\x04")),
    ("gzip data", re.compile(rb"\x1f\x8b")),
    ("an icon", re.compile(rb"\0\0[\x01\x02]\0")),
    ("a Git LFS pointer instead of the picture itself", re.compile(rb"version https://git-lfs")),
    (
        "an SVG drawing",
        re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)?<svg"),
    ),
    (
        "an HTML page, perhaps a download's error page",
        re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+)?html"),
    ),
    ("nothing but zero bytes", re.compile(rb"\0+\Z")),
    ("text", re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+\Z")),
)
_LOOK = 512

# In a JPEG scan 0xFF is data when 00 follows, a restart marker when D0..D7 does, a fill when FF does.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EOI, _SOS = 0xD9, 0xDA
_SEQUENTIAL = frozenset({0xC0, 0xC1})  # start of a baseline or extended sequential frame
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_READ_AHEAD = bytes(8)


def image_format(data: bytes) -> str:
    """The format by content, whatever the file's name says: JPEG, PNG, WEBP, TIFF or BMP.

    Raises:
        ImageCorruptError: no bytes at all.
        ImageFormatError: anything else; the message says what it looks like.
    """
    if not data:
        raise ImageCorruptError("The file is empty (zero bytes). Copy it again.")
    start = data[:_LOOK]
    for name, pattern in _ALLOWED:
        if pattern.match(start):
            return name
    looks = next((words for words, pattern in _REFUSED if pattern.match(start)), "no known kind of picture")
    raise ImageFormatError(f"The file looks like {looks}. JPEG, PNG, WebP, BMP and TIFF are taken.")


def whole_picture(data: bytes, kind: str) -> bytes:
    """The bytes of the (first) picture in the file, for a decoder, which are there to the last.

    A decoder given half a JPEG fills up with gray, so the frame is looked at first: PNG chunks and
    their checksums up to IEND, JPEG markers up to EOI (ISO/IEC 10918-1, annex B), the RIFF length of
    WebP.  What comes after (the second picture of a phone's MPO, trailers) plays no part.  BMP and
    TIFF have no such frame; for them the decoder notices.

    Raises:
        ImageCorruptError: the file ends before the picture does, or a PNG checksum is wrong.
    """
    if kind == "PNG":
        for _ in png.chunks(data):
            pass
    if kind == "JPEG":
        return _whole_jpeg(data)
    if kind == "WEBP" and 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise ImageCorruptError("The WebP is cut off: the file is shorter than it says.")
    return data


def has_tiff_directory(data: bytes) -> bool:
    """Whether a TIFF's first directory lies whole within the bytes (TIFF 6.0, section 2)."""
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    start = int.from_bytes(data[4:8], order)
    entries = int.from_bytes(data[start : start + 2], order)
    return entries > 0 and start + 2 + 12 * entries + 4 <= len(data)


def _whole_jpeg(data: bytes) -> bytes:
    scans = 0
    sequential = False
    position = 2
    while (position := data.find(b"\xff", position)) >= 0 and position + 1 < len(data):
        marker = data[position + 1]
        if marker == 0xFF:  # fill
            position += 1
            continue
        if marker == _EOI:
            # Some tools end a cut-off file with EOI, and the decoder fills up with gray again.  Without
            # EOI it fails when it needs more than the few bytes that it reads ahead in any case.  Only
            # a file of several scans needs EOI itself.
            plain = sequential and scans == 1
            return data[:position] + _READ_AHEAD if plain else data[: position + 2]
        position += 2
        if marker in _WITHOUT_LENGTH:
            continue
        sequential |= marker in _SEQUENTIAL
        position += int.from_bytes(data[position : position + 2], "big")
        if marker == _SOS:
            scans += 1
            match = _MARKER_IN_SCAN.search(data, position)
            if match is None:
                break
            position = match.start()
    raise ImageCorruptError("The JPEG is cut off: its end marker is missing.")
