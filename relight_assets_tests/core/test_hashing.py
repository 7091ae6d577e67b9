"""One sha256, of bytes, files and JSON values."""

import hashlib
import io
from pathlib import Path

import pytest

from relight_assets.core.hashing import CHUNK, canonical_digest, file_sha256, sha256_hex, stream_sha256


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 5])
def test_a_file_a_stream_and_its_bytes_have_one_sum(tmp_path: Path, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    (tmp_path / "file").write_bytes(data)
    wanted = hashlib.sha256(data).hexdigest()
    assert sha256_hex(data) == file_sha256(tmp_path / "file") == wanted
    assert stream_sha256(io.BytesIO(data)) == (wanted, size)


def test_a_stream_that_grows_is_not_read_for_ever() -> None:
    class Endless:
        def read(self, size: int, /) -> bytes:
            return b"x" * size

    assert stream_sha256(Endless(), 10)[1] == CHUNK
    assert stream_sha256(Endless(), CHUNK)[1] == 2 * CHUNK


def test_the_spelling_of_a_json_value_does_not_count() -> None:
    assert canonical_digest({"a": [1, "\u00e9"], "b": None}) == canonical_digest({"b": None, "a": [1, "\u00e9"]})
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_digest(float("nan"))
