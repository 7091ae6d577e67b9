"""Files are read as they are recorded, or not at all."""

import hashlib
from pathlib import Path

import pytest

from relight_assets.errors import ChangedOutputError, OutputFolderError
from relight_assets.publishing.trees import PART, Tree, TreeFile, read_parts, read_whole


def parts_of(file: TreeFile) -> list[bytes]:
    return list(read_parts(file))


@pytest.fixture
def file(tmp_path: Path) -> TreeFile:
    (tmp_path / "a.bin").write_bytes(b"0123456789" * 10)
    return TreeFile.of("a.bin", tmp_path / "a.bin")


def test_a_file_is_recorded_by_size_and_sha256(file: TreeFile) -> None:
    data = b"0123456789" * 10
    assert (file.path, file.size, file.sha256) == ("a.bin", 100, hashlib.sha256(data).hexdigest())
    assert read_whole(file) == b"".join(parts_of(file)) == data
    assert Tree("a", [file], file).size == 200


@pytest.mark.parametrize("data", [b"0123456789" * 9, b"0123456789" * 11, b"x123456789" * 10, b""])
def test_other_bytes_are_refused(file: TreeFile, data: bytes) -> None:
    Path(file.source).write_bytes(data)
    for read in (read_whole, parts_of):
        with pytest.raises(ChangedOutputError, match=r"a.bin has other bytes than are recorded"):
            read(file)


def test_a_file_that_is_gone_is_refused(file: TreeFile) -> None:
    Path(file.source).unlink()
    for read in (read_whole, parts_of):
        with pytest.raises(OutputFolderError, match=r"a.bin cannot be read: No such file or directory"):
            read(file)
    with pytest.raises(OutputFolderError, match=r"a.bin cannot be read"):
        TreeFile.of("a.bin", Path(file.source))


def test_a_large_file_is_read_in_parts_and_the_last_is_given_only_if_all_fits(tmp_path: Path) -> None:
    path = tmp_path / "b.bin"
    path.write_bytes(b"a" * (2 * PART + 7))
    large = TreeFile.of("b.bin", path)
    assert [len(part) for part in parts_of(large)] == [PART, PART, 7]
    path.write_bytes(b"a" * (2 * PART + 6) + b"b")

    given: list[int] = []

    with pytest.raises(ChangedOutputError):
        given.extend(len(part) for part in read_parts(large))
    assert given == [PART, PART]
