"""The list of the photos that were forgotten: whole, or nobody goes on."""

from pathlib import Path

import pytest

from relight_assets.dataset.tombstones import FORGOTTEN, Tombstones, add_tombstones, read_tombstones
from relight_assets.errors import OutputFolderError
from relight_assets.storage.files import FileStamp
from relight_assets_tests.faults.one_file import put

ONE, TWO = "1" * 64, "2" * 64


def test_round_trip(tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    assert not read_tombstones(root).reasons
    assert add_tombstones(root, {ONE: 'a "reason", with a comma'}).reasons == read_tombstones(root).reasons
    add_tombstones(root, {ONE: "another", TWO: ""})
    assert read_tombstones(root).reasons == {ONE: 'a "reason", with a comma', TWO: ""}
    assert (root / FORGOTTEN).read_text().splitlines()[0] == "sha256,reason"
    assert ONE in read_tombstones(root)
    assert "3" * 64 not in read_tombstones(root)


def test_nothing_new_nothing_written(tmp_path: Path) -> None:
    add_tombstones(tmp_path, {ONE: ""})
    before = (tmp_path / FORGOTTEN).stat().st_ino
    add_tombstones(tmp_path, {ONE: "x"})
    assert (tmp_path / FORGOTTEN).stat().st_ino == before


def test_an_editor_may_have_saved_it(tmp_path: Path) -> None:
    (tmp_path / FORGOTTEN).write_bytes(f"\ufeffsha256,reason\r\n{ONE},why\r\n\r\n".encode())
    assert read_tombstones(tmp_path).reasons == {ONE: "why"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "its first line must be"),
        (b"sha256\n", "its first line must be"),
        (f"sha256,reason\n{ONE},why".encode(), "its last line is cut off"),
        (f"sha256,reason\n{ONE},why\n{TWO[:40]}\n".encode(), "line 3 is no sha256"),
        (f"sha256,reason\n{ONE}\n".encode(), "line 2 is no sha256"),
        (f"sha256,reason\n{'A' * 64},why\n".encode(), "line 2 is no sha256"),
        (f'sha256,reason\n{ONE},"why\n'.encode(), "unexpected end of data"),
        (b"sha256,reason\n\xff\n", "can't decode byte"),
    ],
)
def test_a_damaged_list_is_no_empty_one(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / FORGOTTEN).write_bytes(data)
    for work in (lambda: read_tombstones(tmp_path), lambda: add_tombstones(tmp_path, {TWO: ""})):
        with pytest.raises(OutputFolderError, match=f"forgotten.csv cannot be used: .*{reason}"):
            work()
    assert (tmp_path / FORGOTTEN).read_bytes() == data


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a link in a circle"])
def test_something_else_in_its_place_is_no_empty_one(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / FORGOTTEN)
    with pytest.raises(OutputFolderError, match=r"forgotten.csv cannot be used"):
        read_tombstones(tmp_path)


def test_a_seal_is_of_one_file_of_a_photo_that_is_in_the_list() -> None:
    tombstones = Tombstones({ONE: "", TWO: ""})
    seal = tombstones.seal(FileStamp(ONE, 10, "5.6.7"))
    assert ONE not in seal
    assert tombstones.sealed(seal, 10, "5.6.7")
    assert not tombstones.sealed(seal, 11, "5.6.7")
    assert not tombstones.sealed(seal, 10, "5.6.8")
    assert not tombstones.sealed(None, 10, "5.6.7")
    assert not Tombstones({TWO: ""}).sealed(seal, 10, "5.6.7")


def test_a_token_of_the_first_schema_is_the_mtime() -> None:
    tombstones = Tombstones({ONE: ""})
    assert tombstones.sealed(tombstones.seal(FileStamp(ONE, 10, "5")), 10, "5.6.7")
