"""Cells whose files are spelled otherwise on the disk, or nowhere: numbers, images and messages, on real runs."""

import os
import unicodedata
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import spelling
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.index import load
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets_tests.conftest import Bench, assert_records_tell_the_truth
from relight_assets_tests.engine.disks import FOUR, ONE, TWO, Disk, nothing_computed


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


NAMES = ["été/Zoë.png", "été/ñ.png"]


@pytest.fixture
def archive(tmp_path: Path, photos: Path) -> Disk:
    """Photos as an archive from macOS leaves them, under a CSV that was typed elsewhere."""
    disk = Disk(tmp_path)
    for name, photo in zip(NAMES, (ONE, TWO), strict=True):
        disk.photo(f"a/{nfd(name)}", photos / photo)
    disk.csv("a", [nfc(name) for name in NAMES])
    summary = disk.run()
    assert summary.state.row_counts() == {"done": 2}
    return disk


def test_numbers_go_by_the_cells_text_and_stay(archive: Disk) -> None:
    assert load(archive.layout()) == {nfc(name): number for number, name in enumerate(NAMES)}
    assert archive.record(0).source.place == str(archive.root / "a" / nfc(NAMES[0]))
    assert_records_tell_the_truth(archive.layout())
    before = archive.png_hashes()
    nothing_computed(archive.run(), rows=2)
    assert archive.png_hashes() == before


def test_a_csv_or_a_disk_that_changes_its_spelling_costs_nothing(archive: Disk) -> None:
    before = archive.png_hashes()
    archive.csv("a", [nfd(name) for name in NAMES])
    nothing_computed(archive.run(), rows=2)
    assert load(archive.layout()) == {nfd(name): number for number, name in enumerate(NAMES)}
    (archive.root / "a" / nfd("été")).rename(archive.root / "a" / nfc("été"))
    nothing_computed(archive.run(), rows=2)
    assert archive.png_hashes() == before
    assert archive.outputs() == ["00000_output.png", "00001_output.png"]


def test_rows_that_name_one_file_in_both_spellings_have_a_number_each(archive: Disk) -> None:
    archive.csv("a", [nfc(NAMES[0]), nfd(NAMES[0]), nfc(NAMES[1])])
    summary = archive.run()
    assert summary.state.row_counts() == {"done": 3}
    assert load(archive.layout()) == {nfc(NAMES[0]): 0, nfc(NAMES[1]): 1, nfd(NAMES[0]): 2}
    assert archive.outputs() == ["00000_output.png", "00002_output.png", "00001_output.png"]
    assert archive.png_hashes()["00000_output.png"] == archive.png_hashes()["00002_output.png"]


def test_where_both_spellings_are_there_each_row_has_its_own_photo(archive: Disk, photos: Path) -> None:
    other = archive.photo(f"a/{nfc(NAMES[0])}", photos / FOUR)
    archive.csv("a", [nfd(NAMES[0]), nfc(NAMES[0]), nfc(NAMES[1])])
    archive.run()
    state = load_split_state(read_split_csv(archive.root / "a/train_images.csv"), Recipe(), archive.settings)
    assert state.row_counts() == {"done": 3}
    assert [state.images[spelled(NAMES[0])].file for spelled in (nfc, nfd)] == [
        other,
        archive.root / "a" / nfd(NAMES[0]),
    ]
    numbers = [state.images[spelled(NAMES[0])].index for spelled in (nfc, nfd)]
    assert len({archive.record(number).source.sha256 for number in numbers if number is not None}) == 2


def test_thousands_of_missing_photos_of_one_folder_list_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "a" / "people").mkdir(parents=True)
    (tmp_path / "a" / "people" / "7.JPG").write_bytes(b"x")
    disk.csv("a", [f"people/{number}.jpg" for number in range(3000)] + ["people\\7.JPG"])
    listed: list[str] = []
    scandir = spelling.os.scandir

    def counted(folder: str) -> object:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr(spelling.os, "scandir", counted)
    split = read_split_csv(tmp_path / "a/train_images.csv")
    state = load_split_state(split, Recipe(), disk.settings)
    assert state.row_counts() == {"failed": 3001}
    assert listed.count(str(tmp_path / "a" / "people")) == 1
    reported = {key: image.failure.message for key, image in state.images.items() if image.failure is not None}
    folder = tmp_path / "a"
    assert reported["people/7.jpg"] == f"There is no file 'people/7.jpg' in '{folder}'. Did you mean 'people/7.JPG'?"
    assert reported["people\\7.JPG"].startswith(
        f"There is no file 'people\\7.JPG' in '{folder}', but 'people/7.JPG' is there"
    )
    assert {image.failure.code for image in state.images.values() if image.failure is not None} == {"source_missing"}
    again = load_split_state(split, Recipe(), disk.settings)
    assert {key: image.failure for key, image in again.images.items()} == {
        key: image.failure for key, image in state.images.items()
    }


def test_columns_that_are_left_out_are_reported_once_in_a_run(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/train_images.csv").write_text("image_path,note,,\n" + "gone.png,x,,\n" * 50)
    split = read_split_csv(tmp_path / "a/train_images.csv")
    seen: list[Progress] = []
    run_split(split, Recipe(), disk.settings, RunOptions(), seen.append)
    assert seen[-1].notices == (f"{split.path}: 2 columns without a name and without content left out",)


def test_a_link_that_is_made_to_a_photo_later_costs_no_finished_image_and_no_new_one_is_made(bench: Bench) -> None:
    names = ["collins_close.png", "hopper_tall.png"]
    (bench.folder / "in").mkdir()
    for name in names:
        (bench.folder / "in" / name).write_bytes((bench.photos / name).read_bytes())
    bench.settings = bench.settings.model_copy(update={"image_root": bench.folder / "in"})
    paths = [str(bench.folder / "in" / name) for name in names]
    bench.write_csv(paths[:1])
    assert bench.run().state.row_counts() == {"done": 1}
    for name in names:
        os.link(bench.folder / "in" / name, bench.folder / f"snapshot-{name}")
    bench.write_csv(paths)
    state = bench.run().state
    assert state.row_counts() == {"done": 1, "failed": 1}
    (failed,) = [image.failure for image in state.images.values() if image.failure is not None]
    assert failed.code == "path_refused"
    assert "hard_links: true" in failed.message
    assert bench.state().row_counts() == {"done": 1, "failed": 1}
    bench.settings = bench.settings.model_copy(update={"hard_links": True})
    assert bench.run().state.row_counts() == {"done": 2}
