"""Files whose names are encoded otherwise than in the cell are found; what is likely meant is reported, and cheaply."""

import os
import unicodedata
from pathlib import Path

import pytest

from relight_assets.dataset import spelling
from relight_assets.dataset.paths import locate_image, resolve_image_path
from relight_assets.dataset.spelling import Folders
from relight_assets.errors import ImageError, PathRefusedError, SourceMissingError


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


MIXED = f"{nfc('é')}{nfd('ü')}.jpg"
"""As names are that were put together from two systems' pieces."""


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


# -- composed and decomposed accents -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["été/Zoë/Łódź ñ.jpg", "한국어/사진.jpg", "が/ぎ.jpg", "ệ/a.jpg", "å.jpg"])
@pytest.mark.parametrize(("disk", "cell"), [(nfc, nfd), (nfd, nfc)])
@pytest.mark.parametrize("rooted", [False, True])
def test_either_spelling_finds_the_file(name: str, disk: object, cell: object, rooted: bool, tmp_path: Path) -> None:
    assert callable(disk)
    assert callable(cell)
    file = put(tmp_path / disk(name))
    root = tmp_path if rooted else None
    for text, folder in ((cell(name), tmp_path), (str(tmp_path / cell(name)), tmp_path / "x")):
        found = locate_image(text, folder, root)
        assert (found.path, found.place) == (str(file), str(tmp_path / cell(name)))


def test_a_name_that_is_neither_is_found(tmp_path: Path) -> None:
    file = put(tmp_path / nfd("ø̈/é") / MIXED)
    for spelled in (nfc, nfd):
        assert resolve_image_path(spelled(f"ø̈/é/{MIXED}"), tmp_path, None) == file
    put(tmp_path / "é" / nfc(MIXED))
    assert resolve_image_path(f"é/{MIXED}", tmp_path, None) == tmp_path / "é" / nfc(MIXED)


def test_a_long_decomposed_name_is_found(tmp_path: Path) -> None:
    for name in ("é" * 100 + ".jpg", "한" * 80 + ".jpg"):
        with pytest.raises(ImageError):
            resolve_image_path(nfd(name), tmp_path, None)  # longer than any name on a disk
        file = put(tmp_path / name)
        assert resolve_image_path(nfd(name), tmp_path, None) == file


def test_where_both_are_there_each_is_the_one_it_names(tmp_path: Path) -> None:
    for spelled in (nfc, nfd):
        put(tmp_path / spelled("é") / spelled("ü.jpg"))
    for spelled in (nfc, nfd):
        for root in (None, tmp_path):
            assert resolve_image_path(spelled("é/ü.jpg"), tmp_path, root) == tmp_path / spelled("é") / spelled("ü.jpg")
    # One folder of the two has it: that is the file.
    put(tmp_path / nfd("é") / "a.jpg")
    assert resolve_image_path(nfc("é/a.jpg"), tmp_path, None) == tmp_path / nfd("é") / "a.jpg"


def test_which_of_several_is_never_guessed(tmp_path: Path) -> None:
    for spelled in (nfc, nfd):
        put(tmp_path / spelled(MIXED))
    with pytest.raises(SourceMissingError, match="but 2 whose accents are encoded otherwise"):
        resolve_image_path(MIXED, tmp_path, None)
    (tmp_path / nfd(MIXED)).unlink()
    (tmp_path / nfd(MIXED)).symlink_to(nfc(MIXED))
    assert resolve_image_path(MIXED, tmp_path, None) == tmp_path / nfc(MIXED)


def test_what_has_exactly_the_name_is_meant_whatever_it_is(tmp_path: Path) -> None:
    put(tmp_path / nfd("é.jpg"))
    (tmp_path / nfc("é.jpg")).mkdir()
    with pytest.raises(PathRefusedError, match="a folder"):
        resolve_image_path(nfc("é.jpg"), tmp_path, None)
    (tmp_path / nfc("é.jpg")).rmdir()
    (tmp_path / nfc("é.jpg")).symlink_to("nowhere.jpg")
    with pytest.raises(SourceMissingError):
        resolve_image_path(nfc("é.jpg"), tmp_path, None)


def test_an_exact_name_elsewhere_goes_before_another_spelling(tmp_path: Path) -> None:
    put(tmp_path / "root" / nfd("é.jpg"))
    exact = put(tmp_path / "root" / "csvs" / nfc("é.jpg"))
    assert resolve_image_path(nfc("é.jpg"), tmp_path / "root" / "csvs", tmp_path / "root") == exact


def test_no_spelling_leads_out_of_the_root(tmp_path: Path) -> None:
    put(tmp_path / nfd("é.jpg"))
    root = tmp_path / "root"
    root.mkdir()
    (root / nfd("ü.jpg")).symlink_to(tmp_path / nfd("é.jpg"))
    for cell in (nfc("../é.jpg"), str(tmp_path / nfc("é.jpg"))):
        with pytest.raises(PathRefusedError, match="outside image_root"):
            resolve_image_path(cell, tmp_path, root)
    for cell in (nfc("ü.jpg"), nfc("é.jpg")):
        with pytest.raises(ImageError):
            resolve_image_path(cell, tmp_path, root)


# -- what is likely meant ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "reported"),
    [
        ("people\\1.jpg", "but 'people/1.jpg' is there: write / in place of \\"),
        ("people\\deep\\x.jpg", "but 'people/deep/x.jpg' is there"),
        ("People\\1.jpg", "Did you mean 'people/1.jpg'?"),
        ("people/1.JPG", "Did you mean 'people/1.jpg'?"),
        ("PEOPLE/1.jpg", "Did you mean 'people/1.jpg'?"),
        ("people/1.jpeg", "Did you mean 'people/1.jpg'?"),
        ("people/1", "Did you mean 'people/1.jpg'?"),
        ("people/2.jpg", "Did you mean 'people/2.JPG'?"),
        ("people/portriat.png", "Did you mean 'people/portrait.png'?"),
        ("poeple/portrait.png", "Did you mean 'people/portrait.png'?"),
        ("photos/top.jpg", "Did you mean 'top.jpg'?"),
        ("people/a%20b.jpg", "Did you mean 'people/a b.jpg'?"),
        ("people/3.jpg", "Check the path and that its disk is there"),
        ("nowhere/at/all.jpg", "there is no folder '{}/nowhere'. Check the path"),
    ],
)
@pytest.mark.parametrize("rooted", [False, True])
def test_what_is_not_found_names_the_folder_and_the_likely_spelling(
    cell: str, reported: str, rooted: bool, tmp_path: Path
) -> None:
    for name in (
        "people/1.jpg",
        "people/2.JPG",
        "people/portrait.png",
        "people/a b.jpg",
        "people/deep/x.jpg",
        "top.jpg",
    ):
        put(tmp_path / name)
    with pytest.raises(SourceMissingError) as caught:
        resolve_image_path(cell, tmp_path, tmp_path if rooted else None)
    message = str(caught.value)
    assert message.startswith(f"There is no file '{cell}' in '{tmp_path}'")
    assert reported.format(tmp_path) in message
    with pytest.raises(SourceMissingError) as caught:
        resolve_image_path(f"{tmp_path}/{cell}", tmp_path / "elsewhere", None)
    if "Did you mean" in reported and cell != "photos/top.jpg":
        assert f"Did you mean '{tmp_path}/" in str(caught.value)


def test_a_name_with_a_backslash_that_is_there_is_that_file(tmp_path: Path) -> None:
    put(tmp_path / "people" / "1.jpg")
    file = put(tmp_path / "people\\1.jpg")
    assert resolve_image_path("people\\1.jpg", tmp_path, None) == file


def test_nothing_outside_the_root_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "csvs" / "secret.jpg")
    put(tmp_path / "root" / "a.jpg")
    (tmp_path / "root" / "out").symlink_to(tmp_path / "csvs")
    for cell in ("secert.jpg", "secret.jpg", "SECRET.JPG", "sub/secret.jpg"):
        with pytest.raises(SourceMissingError) as caught:
            resolve_image_path(cell, tmp_path / "csvs", tmp_path / "root")
        assert "Did you mean" not in str(caught.value)
    for cell in ("out/secert.jpg", "../csvs/secert.jpg", "../csvs/secret.jpg"):
        with pytest.raises(PathRefusedError, match="outside image_root"):
            resolve_image_path(cell, tmp_path / "csvs", tmp_path / "root")


def test_a_root_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    with pytest.raises(
        SourceMissingError, match=f"there is no folder '{root}'. Check the path and that its disk is there"
    ):
        resolve_image_path("people/1.jpg", tmp_path, root)


def test_strange_names_are_reported_on_one_line(tmp_path: Path) -> None:
    put(tmp_path / "a\nb\x1b[31m.jpg")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    for cell in ("ab[31m.jpg", "A b[31m.jpg", "cafe.jpg", "x" * 255, "y/" * 1500):
        with pytest.raises(SourceMissingError) as caught:
            resolve_image_path(cell, tmp_path, None)
        message = str(caught.value)
        assert message.isprintable()
        assert len(message) < 1200


# -- and cheaply -------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were listed."""
    found: list[str] = []
    scandir = os.scandir

    def counted(folder: str) -> object:
        found.append(folder)
        return scandir(folder)

    monkeypatch.setattr(spelling.os, "scandir", counted)
    return found


def reported(cell: str, folder: Path, known: Folders) -> str:
    with pytest.raises(SourceMissingError) as caught:
        resolve_image_path(cell, folder, None, known=known)
    return str(caught.value)


def test_a_folder_is_listed_once_for_all_that_it_lacks(tmp_path: Path, listed: list[str]) -> None:
    for number in range(50):
        put(tmp_path / "people" / f"{number}.png")
    known = Folders()
    messages = [reported(f"people/{number}.jpg", tmp_path, known) for number in range(2000)]
    messages += [reported(f"gone/é{number}.jpg", tmp_path, known) for number in range(2000)]
    assert sum("Did you mean" in message for message in messages) == 50
    assert sorted(listed) == [str(tmp_path), str(tmp_path / "people")]


def test_what_is_found_lists_nothing(tmp_path: Path, listed: list[str]) -> None:
    put(tmp_path / nfd("é") / "a.jpg")
    resolve_image_path(nfc("é/a.jpg"), tmp_path, tmp_path)
    resolve_image_path(nfd("é/a.jpg"), tmp_path, tmp_path)
    assert listed == []


def test_a_huge_folder_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        put(tmp_path / f"{number}.png")
    assert "Did you mean" in reported("3.jpg", tmp_path, Folders(max_names=20))
    assert reported("3.jpg", tmp_path, Folders(max_names=19)).endswith("Check the path and that its disk is there.")
    for letter in "abcdefgh":
        put(tmp_path / f"portrait {letter}{letter}{letter}.png")
    assert "Did you mean" in reported("portrait aa.png", tmp_path, Folders())
    monkeypatch.setattr(spelling, "MAX_COMPARED", 20)
    known = Folders()
    guessed = ["Did you mean" in reported("portrait aa.png", tmp_path, known) for _ in range(4)]
    assert guessed == [True, True, False, False]
    assert "Did you mean" in reported("PORTRAIT AAA.PNG", tmp_path, known)


def test_a_folder_that_cannot_be_listed_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: str) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(spelling.os, "scandir", refused)
    assert reported("a.jpg", tmp_path, Folders()).endswith("Check the path and that its disk is there.")
    file = put(tmp_path / nfd("é.jpg"))
    assert resolve_image_path(nfc("é.jpg"), tmp_path, None) == file


def test_where_nothing_is_to_be_guessed_nothing_is_listed(tmp_path: Path, listed: list[str]) -> None:
    put(tmp_path / "a.png")
    message = reported("a.jpg", tmp_path, Folders(max_names=0))
    assert message == "There is no file 'a.jpg'. Check the path and that its disk is there."
    assert listed == []
