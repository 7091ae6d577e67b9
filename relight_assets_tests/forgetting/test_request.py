"""Which photo is meant by a path, a name, a sha256 or a review; and that nobody guesses."""

import os
import shutil
from pathlib import Path

import pytest

from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.origin import read_origin
from relight_assets.errors import CsvError, UserError
from relight_assets.forgetting.request import Lookup, Request
from relight_assets_tests.conftest import PORTRAITS, sha256
from relight_assets_tests.forgetting.world import EXPERIMENT, OTHER_NAME, PHOTO, World, assert_forgotten


def meant(world: World, text: str) -> set[str]:
    request = Request()
    Lookup(world.settings).add(request, text, "why")
    assert set(request.reasons.values()) == {"why"}
    return set(request.reasons)


def test_by_its_path_or_any_name_of_it(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, folder = tmp_path / "link.png", tmp_path / "folder"
    link.symlink_to(world.photos / PHOTO)
    folder.symlink_to(world.photos)
    monkeypatch.chdir(world.photos)
    for text in (world.photos / PHOTO, world.photos / OTHER_NAME, link, folder / PHOTO, PHOTO, world.sha256.upper()):
        assert meant(world, str(text)) == {world.sha256}


def test_a_link_to_it_forgets_it(world: World, tmp_path: Path) -> None:
    made = world.made_of(world.sha256)
    link = tmp_path / "link.png"
    link.symlink_to(world.photos / PHOTO)
    assert world.forget(str(link)).left == []
    assert_forgotten(world, world.sha256, made)


def test_of_a_photo_that_was_edited_both_contents_are_meant(world: World, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    shutil.copyfile(world.photos / PORTRAITS[0], own)
    world.write_csv("more", [str(own)])
    world.run("more")
    before = sha256(own)
    shutil.copyfile(world.photos / PORTRAITS[2], own)
    assert meant(world, str(own)) == {before, sha256(own)}
    request = Request()
    Lookup(world.settings).add(request, str(own), "why")
    assert request.found == {sha256(own): "the file as it is now", before: f"what {own} in more was made of"}
    own.unlink()
    assert meant(world, str(own)) == {before}


def test_a_name_that_stands_for_two_photos_is_not_guessed(world: World, tmp_path: Path) -> None:
    for split, name in (("one", PORTRAITS[0]), ("two", PORTRAITS[2])):
        folder = tmp_path / split
        folder.mkdir()
        shutil.copyfile(world.photos / name, folder / "a.png")
        (folder / f"{split}_images.csv").write_text("image_path\na.png\n")
        world.settings.csv_dir.joinpath(f"{split}_images.csv").symlink_to(folder / f"{split}_images.csv")
    for split in ("one", "two"):
        csv = world.data / f"{split}_images.csv"
        csv.unlink()
        shutil.copyfile(tmp_path / split / "a.png", world.data / "a.png")
        csv.write_text("image_path\na.png\n")
        world.run(split)
    (world.data / "a.png").unlink()
    with pytest.raises(UserError, match=r"a\.png names 2 photos: .*; give one of these paths"):
        meant(world, "a.png")


def test_a_name_as_the_csv_has_it_once_the_file_is_gone(world: World) -> None:
    shutil.copyfile(world.photos / PORTRAITS[0], world.data / "rel.png")
    (world.data / "rel_images.csv").write_text("image_path\n./rel.png\n")
    world.run("rel")
    known = sha256(world.data / "rel.png")
    (world.data / "rel.png").unlink()
    assert meant(world, "./rel.png") == meant(world, str(world.data / "rel.png")) == {known}


@pytest.mark.parametrize("text", ["nowhere.png", "/nowhere/x.png", "abc", "g" * 64])
def test_what_nobody_knows_is_a_mistake(world: World, text: str) -> None:
    with pytest.raises(UserError, match="give its sha256"):
        meant(world, text)


def test_what_is_no_file_is_a_mistake(world: World, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UserError, match=str(path)):
            meant(world, str(path))


def test_the_photos_of_a_review(world: World) -> None:
    review = world.data / "train_review.csv"
    gone = sha256(world.photos / PORTRAITS[0])
    review.write_text(f"image_path,forget\n{world.photos / PHOTO},yes\n{world.photos / 'cat.png'},\n")
    request, lookup = Request(), Lookup(world.settings)
    csvs = list_csvs(world.data, "*_images.csv")
    lookup.add_reviewed(request, csvs.read("train"))
    lookup.add_reviewed(request, csvs.read("val"))
    assert request.reasons == {world.sha256: "review"}
    review.write_text(f"sha256,forget\n{gone},yes\n")
    lookup.add_reviewed(request, csvs.read("train"))
    assert request.reasons == {world.sha256: "review", gone: "review"}
    review.write_text("sha256,forget\nabc,perhaps\n")
    with pytest.raises(CsvError, match="line 2"):
        lookup.add_reviewed(request, csvs.read("train"))


def test_a_damaged_record_goes_by_the_name_of_its_image(world: World) -> None:
    """Nobody could tell whose its pictures are, but another folder still knows the photo of this name."""
    made = world.made_of(world.sha256)
    world.layout(experiment=EXPERIMENT).record(1).write_text("{")
    assert read_origin(world.layout(experiment=EXPERIMENT)) is not None
    assert world.forget(world.sha256).left == []
    assert_forgotten(world, world.sha256, made)


def test_a_picture_that_was_made_of_a_photo_is_not_taken_for_it(world: World) -> None:
    for path in (world.layout().png(0, "input"), next(world.settings.export_folder.glob("*/train/**/*.png"))):
        with pytest.raises(UserError, match="where relight writes: it is made of a photo"):
            world.forget(str(path))


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_a_mistake(world: World, text: str) -> None:
    with pytest.raises(UserError, match="names no photo"):
        world.forget(text)
