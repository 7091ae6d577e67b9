"""What the tests of images share."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes bytes as an image file."""

    def write(data: bytes) -> Path:
        path = tmp_path / "photo.jpg"  # the name never matters
        path.write_bytes(data)
        return path

    return write
