"""What the tests of pictures share."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes bytes as a picture file."""

    def write(data: bytes) -> Path:
        path = tmp_path / "photo.jpg"  # the name never matters
        path.write_bytes(data)
        return path

    return write
