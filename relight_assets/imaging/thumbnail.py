"""Thumbnails: the pictures of one image, small and side by side in one JPEG, which says what they are of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import every

SIDE = 128
"""Longest side of a cell, pixels: two cells of a card, and four cards, fit beside the filters at 1,280 pixels."""
MAX_CELL_BYTES = 2_700
"""Of a cell on average: a pair of them as base64, with its labels, stays below 10 kB of a gallery."""
_QUALITIES = (82, 74, 66, 56, 46, 36, 26, 16)
_FORMAT = 1
"""Raised when the same pictures become other thumbnails."""
_COMMENT = re.compile(rb"\xff\xfe..relight thumbnail (\d+) ([0-9a-f]{64}) ([0-9a-f]{16}) (\d+)", re.DOTALL)
_COMMENT_WITHIN = 256
"""Bytes from the start of the file: it follows the first segment."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a thumbnail is of: where it differs from what the files are now, the thumbnail is of an earlier time."""

    source_sha256: str
    """Of the photo: whose picture it is."""
    files: str
    """A digest of the files that it shows, 16 digits."""
    cells: int
    """Pictures side by side, all of one size."""


def encode_thumbnail(pictures: Sequence[Pixels], made_of: MadeOf) -> bytes:
    """A JPEG of the pictures side by side, each at most ``SIDE`` pixels long, with ``made_of`` as its comment.

    Args:
        pictures: uint8 (H, W, 3) RGB; all take the size of the first.
        made_of: what they are of.
    """
    height, width = pictures[0].shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    strip = np.concatenate([_small(each, size) for each in pictures], axis=1)
    colors = cv2.cvtColor(strip, cv2.COLOR_RGB2BGR)
    for quality in _QUALITIES:
        _, jpeg = cv2.imencode(".jpg", colors, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
        if jpeg.nbytes <= MAX_CELL_BYTES * len(pictures):
            break
    return _with_comment(jpeg.tobytes(), made_of)


def thumbnail_made_of(data: bytes) -> MadeOf | None:
    """What a thumbnail is of; None where nothing says so, as in a JPEG of somebody else's or of another version."""
    found = _COMMENT.search(data[:_COMMENT_WITHIN])
    if found is None or int(found[1]) != _FORMAT or not data.endswith(b"\xff\xd9"):
        return None
    return MadeOf(found[2].decode(), found[3].decode(), int(found[4]))


def _small(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    step = max(1, max(pixels.shape[:2]) // (4 * SIDE))  # what is much larger takes longer, and shows no more
    return cv2.resize(every(pixels, step), size, interpolation=cv2.INTER_AREA)


def _with_comment(jpeg: bytes, made_of: MadeOf) -> bytes:
    """The JPEG with a comment after its first segment (JFIF wants its own to be the first)."""
    text = f"relight thumbnail {_FORMAT} {made_of.source_sha256} {made_of.files} {made_of.cells}".encode()
    first = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:first] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[first:]
