"""Reading files that somebody else writes, and their stamps."""

import os
from pathlib import Path

import pytest

from relight_assets.errors import PathRefusedError, SourceMissingError
from relight_assets.storage.files import (
    holds,
    read_regular,
    same_token,
    source_token,
    stamp_source,
)


def test_stamp_refusals(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PathRefusedError):
        stamp_source(tmp_path / "pipe")
    with pytest.raises(SourceMissingError):
        stamp_source(tmp_path / "gone")


def test_a_source_written_over_in_place_has_another_token_whatever_its_mtime(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    os.utime(path, (10**9, 10**9))
    before = source_token(path.stat())
    assert same_token(before, path.stat())
    assert same_token(str(10**18), path.stat())  # as the first version recorded it
    path.write_bytes(b"two")
    os.utime(path, (10**9, 10**9))
    assert not same_token(before, path.stat())
    other = tmp_path / "b.jpg"
    other.write_bytes(b"new")
    os.utime(other, (10**9, 10**9))
    other.replace(path)
    assert not same_token(before, path.stat())


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "a") == b"x" * 3_000_000
    assert read_regular(tmp_path / "pipe") is None
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)


def test_a_file_larger_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(path, max_bytes=5) == b"12345"
    assert read_regular(path, max_bytes=4) is None


def test_a_file_holds_exactly_these_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"one, two")
    assert holds(path, [b"one,", b" two"])
    assert holds(path, [b"one, two", b""])
    for other in ([b"one,"], [b"one, two", b"x"], [b"one; two"], []):
        assert not holds(path, other)
    os.mkfifo(tmp_path / "pipe")
    assert not holds(tmp_path / "pipe", [])
    with pytest.raises(FileNotFoundError):
        holds(tmp_path / "none", [])


def test_a_folder_cannot_be_read_and_a_pipe_is_none(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert read_regular(tmp_path / "pipe") is None


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    real, size = os.fstat, 3

    def smaller(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[6] = size
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", smaller)
    assert read_regular(path) == b"12345"
