"""Files are read as they are recorded, or not at all."""

import hashlib
from pathlib import Path

import pytest

from relight_assets.errors import ChangedOutputError, OutputFolderError
from relight_assets.publishing.trees import PART, Tree, TreeFile, listed_files, read_parts, read_whole


def parts_of(file: TreeFile) -> list[bytes]:
    return list(read_parts(file))


@pytest.fixture
def file(tmp_path: Path) -> TreeFile:
    (tmp_path / "a.bin").write_bytes(b"0123456789" * 10)
    return TreeFile.of("a.bin", tmp_path / "a.bin")


def test_a_list_that_lies_at_a_destination_is_read() -> None:
    assert listed_files(b"path,sha256,size,made_of\na.png,ab,3,x\n") == [("a.png", 3, "ab")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"path,size\na,1\n",
        b"path,sha256,size\na,b,many\n",
        b"path,sha256,size\na\n",
        b"\xff",
        b'path,"sha256,size\n',
    ],
)
def test_a_list_that_is_damaged_or_none_of_ours_is_none(data: bytes) -> None:
    assert listed_files(data) is None


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
