"""What bytes are, by their first bytes and their frame, before any decoder sees them."""

import re
from typing import Literal

from relight_assets.errors import ImageCorruptError, ImageFormatError
from relight_assets.imaging import png

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
    ("an AVIF image", re.compile(rb"[\s\S]{4}ftyp(?:avif|avis)")),
    ("a HEIC image", re.compile(rb"[\s\S]{4}ftyp(?:hei|hev|mif1|msf1)")),
    ("a video", re.compile(rb"[\s\S]{4}ftyp|\x1aE\xdf\xa3|RIFF[\s\S]{4}AVI ")),
    ("a JPEG 2000 image", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51")),
    ("a JPEG XL image", re.compile(rb"\0\0\0\x0cJXL |\xff\x0a")),
    ("a BigTIFF", re.compile(rb"II\+\0|MM\0\+")),
    ("a Photoshop file", re.compile(rb"8BPS")),
    ("a PDF", re.compile(rb"%PDF-")),
    ("a ZIP archive", re.compile(rb"PK\x03\x04")),
    ("gzip data", re.compile(rb"\x1f\x8b")),
    ("an icon", re.compile(rb"\0\0[\x01\x02]\0")),
    ("a Git LFS pointer instead of the image itself", re.compile(rb"version https://git-lfs")),
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
_HEADER_BYTES = 512


def image_format(data: bytes) -> str:
    """The format by content, whatever the file's name says: JPEG, PNG, WEBP, TIFF or BMP.

    Raises:
        ImageCorruptError: no bytes at all.
        ImageFormatError: anything else; the message says what it looks like.
    """
    if not data:
        raise ImageCorruptError("The file is empty (zero bytes). Copy it again.")
    start = data[:_HEADER_BYTES]
    for name, pattern in _ALLOWED:
        if pattern.match(start):
            return name
    looks = next((words for words, pattern in _REFUSED if pattern.match(start)), "no known kind of image")
    raise ImageFormatError(f"The file looks like {looks}. JPEG, PNG, WebP, BMP and TIFF are taken.")


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP's canvas by its first 30 bytes (RFC 9649, section 2); (0, 0) where they do not say."""
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return 0, 0


def require_whole_webp(data: bytes) -> None:
    """See that a WebP is as long as it says.

    Raises:
        ImageCorruptError: it is cut off.
    """
    if len(data) < 30 or 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise ImageCorruptError("The WebP is cut off: the file is shorter than it says.")


def has_tiff_directory(data: bytes) -> bool:
    """Whether a TIFF's first directory lies whole within the bytes (TIFF 6.0, section 2)."""
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    start = int.from_bytes(data[4:8], order)
    entries = int.from_bytes(data[start : start + 2], order)
    return entries > 0 and start + 2 + 12 * entries + 4 <= len(data)
