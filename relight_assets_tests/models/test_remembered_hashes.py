"""Large files are hashed once, and again when they changed."""

import hashlib
import os
from pathlib import Path

import pytest

from relight_assets.errors import ModelFileError
from relight_assets.models import remembered_hashes
from relight_assets.models.remembered_hashes import check_sha256, remembered_sha256


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "relight_assets" / "weights.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sam3.pt"
    path.write_bytes(b"weights")
    return path


def test_a_file_is_read_once_and_again_when_it_changed(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = hashlib.sha256(b"weights").hexdigest()
    assert remembered_sha256(file) == wanted
    with monkeypatch.context() as patch:
        patch.setattr(remembered_hashes, "file_sha256", lambda _: pytest.fail("it was read again"))
        assert remembered_sha256(file) == wanted
    file.write_bytes(b"Weights")
    os.utime(file, ns=(0, 1))
    assert remembered_sha256(file) == hashlib.sha256(b"Weights").hexdigest()
    cache.write_text("damaged")
    assert remembered_sha256(file) == hashlib.sha256(b"Weights").hexdigest()


def test_a_cache_that_cannot_be_written_is_done_without(file: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert remembered_sha256(file) == hashlib.sha256(b"weights").hexdigest()


def test_another_file_is_refused_with_both_sums(file: Path, tmp_path: Path) -> None:
    check_sha256(file, None)
    check_sha256(file, hashlib.sha256(b"weights").hexdigest())
    with pytest.raises(ModelFileError, match=f"sha256 {hashlib.sha256(b'weights').hexdigest()}.*wants 0000"):
        check_sha256(file, "0" * 64)
    with pytest.raises(ModelFileError, match="cannot be read"):
        remembered_sha256(tmp_path / "gone.pt")
