"""Photos by name and by folder."""

import os
from pathlib import Path

import pytest

from relight_assets.cli.photo_list import csv_of, photos_in, refuse_forgotten
from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.tombstones import add_tombstones
from relight_assets.errors import UserError
from relight_assets.storage.local import LOCAL


def test_files_and_folders_each_photo_once(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", "c.webp"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.png").mkdir()
    found = photos_in([tmp_path / "c.webp", tmp_path, tmp_path / "notes.txt"])
    assert [path.name for path in found] == ["c.webp", "a.png", "b.JPG", "notes.txt"]  # what is named is taken


def test_what_is_not_there_and_a_folder_without_photos(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file or folder .*none\.png"):
        photos_in([tmp_path / "none.png"])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"has no photo: no file in it ends in \.jpg"):
        photos_in([tmp_path])


def test_a_csv_of_any_names(tmp_path: Path) -> None:
    names = ["a,b.png", 'q"uote.png', "line\nbreak.png", "Zoë.png"]
    split = csv_of([tmp_path / name for name in names], tmp_path / "out" / "try_images.csv")
    assert [Path(cell).name for cell in split.table["image_path"]] == names
    assert split.split == "try"
    with pytest.raises(UserError, match="no UTF-8 text: rename it"):
        csv_of([tmp_path / os.fsdecode(b"\xff.png")], tmp_path / "try_images.csv")


def test_a_photo_that_the_project_has_forgotten_is_refused(tmp_path: Path) -> None:
    photo, outputs = tmp_path / "a.png", tmp_path / "outputs"
    photo.write_bytes(b"a photo")
    refuse_forgotten([photo], outputs)
    outputs.mkdir()
    add_tombstones(outputs, {sha256_hex(b"a photo"): "requested"}, LOCAL)
    with pytest.raises(UserError, match=r"a\.png was forgotten in this project"):
        refuse_forgotten([photo], outputs)
