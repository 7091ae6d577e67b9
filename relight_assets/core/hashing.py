"""sha256, in lowercase hexadecimal: of bytes, of files and of JSON values."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

CHUNK = 1 << 20
"""Bytes read at a time: files may be larger than the memory."""


class ByteStream(Protocol):
    """What can be read in pieces."""

    def read(self, size: int, /) -> bytes | None:
        """At most so many bytes; none at the end."""


def sha256_hex(data: bytes | bytearray | memoryview) -> str:
    """The sha256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def stream_sha256(stream: ByteStream, max_bytes: int | None = None) -> tuple[str, int]:
    """The sha256 of what a stream still holds, and its length; reading ends soon after more than ``max_bytes``.

    Raises:
        OSError: it cannot be read.
    """
    digest, length = hashlib.sha256(), 0
    while (max_bytes is None or length <= max_bytes) and (piece := stream.read(CHUNK)):
        digest.update(piece)
        length += len(piece)
    return digest.hexdigest(), length


def file_sha256(path: Path) -> str:
    """The sha256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return stream_sha256(stream)[0]


def canonical_digest(value: Any) -> str:
    """The sha256 of a JSON value in its one canonical spelling: sorted keys, no spaces, ASCII.

    Raises:
        ValueError: NaN or an infinity is in it.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return sha256_hex(text.encode("ascii"))
