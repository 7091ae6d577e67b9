"""Whose photos are these?  CSVs and photos that move, change and are mixed up, on real portraits and real processes."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.index import load
from relight_assets.dataset.origin import read_origin
from relight_assets.engine import preparation
from relight_assets.engine.hash_files import hash_files
from relight_assets.engine.publish import write_split_mapping
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.engine.state.identity import MIN_PHOTOS, refusal
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import OtherPhotosError
from relight_assets.quality.verify.split import verify_split
from relight_assets.storage.files import FileStamp
from relight_assets_tests.conftest import assert_records_tell_the_truth, computed, sha256
from relight_assets_tests.engine.disks import FOUR, ONE, TWO, Disk, nothing_computed

# -- the same photos, at other places -------------------------------------------------------------------------


def test_a_csv_that_moves_with_its_photos_keeps_all(disk: Disk) -> None:
    before = disk.png_hashes()
    (disk.root / "a").rename(disk.root / "b")
    nothing_computed(disk.run("b"))
    assert disk.png_hashes() == before
    assert disk.outputs("b") == ["00000_output.png", "00001_output.png", "00002_output.png"]
    assert disk.record(0).source.place == str(disk.root / "b" / "1.png")
    origin = read_origin(disk.layout())
    assert origin is not None
    assert origin.path == str(disk.root / "b" / "train_images.csv")


def test_photos_that_move_to_other_names_keep_their_numbers(disk: Disk) -> None:
    before = disk.png_hashes()
    for number in (1, 2, 3):
        (disk.root / f"new/person {number}.png").parent.mkdir(exist_ok=True)
        (disk.root / f"a/{number}.png").rename(disk.root / f"new/person {number}.png")
    disk.csv("a", ["../new/person 3.png", "../new/person 1.png", "../new/person 2.png"])
    nothing_computed(disk.run())
    assert disk.png_hashes() == before
    assert disk.outputs() == ["00002_output.png", "00000_output.png", "00001_output.png"]
    assert load(disk.layout()) == {f"../new/person {n}.png": n - 1 for n in (1, 2, 3)}
    assert disk.record(2).image_path == "../new/person 3.png"
    assert disk.run().state.orphans == 0


def test_an_image_root_that_is_set_later_relabels_nothing(disk: Disk) -> None:
    before = disk.png_hashes()
    disk.csv("a", [str(disk.root / f"a/{number}.png") for number in (1, 2, 3)])
    nothing_computed(disk.run())
    assert list(load(disk.layout())) == [str(disk.root / f"a/{number}.png") for number in (1, 2, 3)]
    rooted = Disk(disk.root, image_root=disk.root / "a")
    nothing_computed(rooted.run())
    assert load(disk.layout()) == {"1.png": 0, "2.png": 1, "3.png": 2}
    assert disk.png_hashes() == before


def test_a_photo_edited_while_the_image_root_is_set_keeps_its_number(disk: Disk, photos: Path) -> None:
    disk.csv("a", [str(disk.root / f"a/{number}.png") for number in (1, 2, 3)])
    nothing_computed(disk.run())
    disk.photo("a/2.png", photos / FOUR)
    rooted = Disk(disk.root, image_root=disk.root / "a")
    assert rooted.run().tally.computed_images == 1
    assert load(disk.layout()) == {"1.png": 0, "2.png": 1, "3.png": 2}
    assert disk.record(1).source.sha256 == sha256(photos / FOUR)


def test_an_image_root_in_which_the_same_photos_lie(disk: Disk) -> None:
    shutil.copytree(disk.root / "a", disk.root / "root", ignore=shutil.ignore_patterns("*.csv"))
    nothing_computed(Disk(disk.root, image_root=disk.root / "root").run())
    assert disk.record(0).source.place == str(disk.root / "root" / "1.png")


def test_a_photo_that_moved_and_was_edited_is_a_conflict(disk: Disk, photos: Path) -> None:
    (disk.root / "a").rename(disk.root / "b")
    disk.photo("b/2.png", photos / FOUR)
    before = disk.everything()
    with pytest.raises(OtherPhotosError, match=r"1 of 3 differ, for instance '2.png'") as error:
        disk.run("b")
    assert str(disk.root / "a" / "2.png") in str(error.value)
    assert disk.everything() == before
    assert computed(disk.run("b", replace_photos=True))["masks"] == 1


def test_of_two_photos_alike_each_number_goes_to_one(disk: Disk, photos: Path) -> None:
    disk.photo("a/x.png", photos / ONE)
    disk.photo("a/y.png", photos / ONE)
    (disk.root / "a/1.png").unlink()
    disk.csv("a", ["y.png", "x.png", "2.png", "3.png"])
    summary = disk.run()
    assert summary.tally.computed_images == 1
    assert load(disk.layout()) == {"y.png": 0, "2.png": 1, "3.png": 2, "x.png": 3}


def test_a_new_photo_takes_no_number_of_one_that_is_still_named(disk: Disk, photos: Path) -> None:
    disk.photo("a/4.png", photos / ONE)
    disk.csv("a", ["1.png", "2.png", "3.png", "4.png"])
    assert disk.run().tally.computed_images == 1
    assert load(disk.layout())["4.png"] == 3


# -- other photos under the same names ------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "reported"), [(["1.png"], "1 of its 1 names"), (["x.png"], "0 of its 1 names")])
def test_a_csv_of_the_same_name_in_another_folder_is_refused(
    disk: Disk, photos: Path, names: list[str], reported: str
) -> None:
    for name in names:
        disk.photo(f"b/{name}", photos / FOUR)
    disk.csv("b", names)
    before = disk.everything()
    with pytest.raises(OtherPhotosError, match=reported) as error:
        disk.run("b")
    sentence = str(error.value)
    assert sentence.count("\n") == 0
    for part in (str(disk.layout().folder), str(disk.root / "a" / "train_images.csv"), "output_root", "--replace"):
        assert part in sentence
    assert disk.everything() == before
    assert verify_split(read_split_csv(disk.root / "b/train_images.csv"), Recipe(), disk.settings).faults[0].code == (
        "origin"
    )


def test_equal_size_and_time_do_not_make_the_same_photo(disk: Disk, photos: Path) -> None:
    # As two folders that were unpacked from archives made alike; the first CSV is gone, so content alone decides.
    other = disk.photo("b/1.png", photos / FOUR)
    own = disk.root / "a/1.png"
    size = max(own.stat().st_size, other.stat().st_size)
    for path in (own, other):
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        os.utime(path, (10**9, 10**9))
    disk.run()
    shutil.copytree(disk.root / "a", disk.root / "gone")
    shutil.rmtree(disk.root / "a")
    disk.csv("b", ["1.png"])
    assert (
        load_split_state(read_split_csv(disk.root / "b/train_images.csv"), Recipe(), disk.settings).unchecked_rows == 1
    )
    with pytest.raises(OtherPhotosError):
        disk.run("b")


def test_replace_gives_the_folder_to_the_other_csv(disk: Disk, photos: Path) -> None:
    disk.photo("b/1.png", photos / FOUR)
    disk.csv("b", ["1.png"])
    alone = Disk(disk.root.with_name("alone"))
    alone.photo("b/1.png", photos / FOUR)
    alone.csv("b", ["1.png"])
    alone.run("b")
    summary = disk.run("b", replace_photos=True)
    assert summary.state.row_counts() == {"done": 1}
    assert disk.png_hashes()["00000_output.png"] == alone.png_hashes()["00000_output.png"]
    assert disk.outputs("b") == ["00000_output.png"]
    assert disk.outputs("a") == ["", "00001_output.png", "00002_output.png"]  # of the first one's people nothing else
    assert disk.record(0).source.place == str(disk.root / "b/1.png")
    with pytest.raises(OtherPhotosError):
        disk.run("a")
    nothing_computed(disk.run("b"), rows=1)


def test_a_csv_whose_origin_cannot_be_read_is_refused(disk: Disk, photos: Path) -> None:
    shutil.copytree(disk.root / "a", disk.root / "b")
    (disk.root / "a/train_images.csv").unlink()
    (disk.root / "a/train_images.csv").symlink_to("train_images.csv")  # of somebody else, who lets nobody read it
    with pytest.raises(OtherPhotosError, match="cannot be read now"):
        disk.run("b")


def test_a_csv_whose_origin_is_gone_needs_one_photo_that_matches(disk: Disk, photos: Path) -> None:
    shutil.rmtree(disk.root / "a")
    disk.photo("b/x.png", photos / FOUR)
    disk.csv("b", ["x.png"])
    before = disk.everything()
    with pytest.raises(OtherPhotosError, match="none of the 1 photos"):
        disk.run("b")
    assert disk.everything() == before
    disk.photo("b/y.png", photos / TWO)
    disk.csv("b", ["x.png", "y.png"])
    assert disk.run("b").tally.computed_images == 1
    assert load(disk.layout())["y.png"] == 1


def test_photos_that_cannot_be_read_decide_nothing(disk: Disk) -> None:
    before = disk.png_hashes()
    (disk.root / "a/2.png").rename(disk.root / "2.png")
    assert disk.run().state.row_counts() == {"done": 2, "failed": 1}
    (disk.root / "2.png").rename(disk.root / "a/2.png")
    nothing_computed(disk.run())
    (disk.root / "a").rename(disk.root / "b")
    for number in (1, 2, 3):  # the same CSV, whose photos are away
        (disk.root / f"b/{number}.png").rename(disk.root / f"{number}.png")
    assert disk.run("b").state.row_counts() == {"failed": 3}
    for number in (1, 2, 3):
        (disk.root / f"{number}.png").rename(disk.root / f"b/{number}.png")
    nothing_computed(disk.run("b"))
    assert disk.png_hashes() == before


def test_a_photo_that_cannot_be_hashed_costs_no_image(
    disk: Disk, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    padded = {name: (photos / name).read_bytes().ljust(300_000, b"\0") for name in (TWO, FOUR)}
    (disk.root / "a/2.png").write_bytes(padded[TWO])
    disk.run()
    before = disk.png_hashes()
    (disk.root / "a").rename(disk.root / "b")
    (disk.root / "b/2.png").write_bytes(padded[FOUR])  # of the same size, at another place: only its bytes tell

    def read_error(files: Mapping[int, tuple[str, ...]], *rest: Any) -> dict[str, FileStamp | None]:
        return {path: None if path.endswith("2.png") else stamp for path, stamp in hash_files(files, *rest).items()}

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "hash_files", read_error)
        for _ in range(2):
            assert disk.run("b").state.row_counts() == {"done": 2, "failed": 1}
    assert disk.png_hashes() == before
    with pytest.raises(OtherPhotosError, match="1 of 3 differ"):
        disk.run("b")
    (disk.root / "b/2.png").write_bytes(padded[TWO])
    nothing_computed(disk.run("b"))


def test_photos_that_come_after_their_new_names_keep_their_images(disk: Disk) -> None:
    before = disk.png_hashes()
    (disk.root / "new").mkdir()
    for number in (1, 2, 3):
        (disk.root / f"a/{number}.png").rename(disk.root / f"new/{number}.png")
    disk.csv("a", ["n1.png", "n2.png", "n3.png"])
    assert disk.run().state.row_counts() == {"failed": 3}
    for number in (1, 2, 3):
        (disk.root / f"new/{number}.png").rename(disk.root / f"a/n{number}.png")
    nothing_computed(disk.run())
    assert disk.png_hashes() == before
    assert load(disk.layout()) == {"n1.png": 0, "n2.png": 1, "n3.png": 2}


def test_nothing_is_written_beside_photos_that_may_only_be_read(first: Disk, tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    shutil.copytree(first.root / "a", disk.root / "a", ignore=shutil.ignore_patterns("*outputs.csv"))
    folder = disk.root / "a"
    settings = disk.settings.model_copy(update={"mapping_dir": disk.root / "mappings"})

    def attempt() -> RunSummary:
        split = read_split_csv(folder / "train_images.csv")
        summary = run_split(split, Recipe(), settings, RunOptions())
        write_split_mapping(summary.state, settings)
        return summary

    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    before = [folder.stat().st_mtime_ns, *(path.stat().st_mtime_ns for path in sorted(folder.iterdir()))]
    try:
        assert attempt().tally.computed_images == 3
        nothing_computed(attempt())
    finally:
        folder.chmod(0o755)
    # Root may write where the modes say no; a file that was there for a moment would have changed the folder's time.
    assert [folder.stat().st_mtime_ns, *(path.stat().st_mtime_ns for path in sorted(folder.iterdir()))] == before


# -- the same places, other content ---------------------------------------------------------------------------


def test_an_edited_photo_is_redone(disk: Disk, photos: Path) -> None:
    disk.photo("a/2.png", photos / FOUR)
    assert computed(disk.run()) == {"masks": 1, "albedo": 1, "degraded": 1, "composites": 1}
    assert_records_tell_the_truth(disk.layout())


def test_a_photo_replaced_within_a_tick_is_redone(disk: Disk, photos: Path) -> None:
    path = disk.root / "a/2.png"
    path.write_bytes(path.read_bytes().ljust(200_000, b"\0"))
    disk.run()
    before = path.stat()
    path.write_bytes((photos / FOUR).read_bytes().ljust(200_000, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert disk.run().tally.computed_images == 1
    assert disk.record(1).source.sha256 == sha256(path)


def test_a_link_to_another_photo_is_an_edit(disk: Disk, photos: Path) -> None:
    path = disk.root / "a/2.png"
    path.unlink()
    path.symlink_to(disk.photo("store/x.png", photos / TWO))
    nothing_computed(disk.run())  # the same content, wherever it lies
    path.unlink()
    path.symlink_to(disk.photo("store/y.png", photos / FOUR))
    assert disk.run().tally.computed_images == 1
    assert disk.record(1).source.place == str(path)


def test_a_touched_photo_is_hashed_and_nothing_is_computed(disk: Disk) -> None:
    os.utime(disk.root / "a/2.png")
    state = load_split_state(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings)
    assert state.unchecked_rows == 1
    assert state.row_counts() == {"done": 2, "pending": 1}
    nothing_computed(disk.run())
    after = load_split_state(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings)
    assert (after.unchecked_rows, after.row_counts()) == (0, {"done": 3})


# -- another disk ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Disk:
    """As many photos as tell that a disk is another, of which most are the same few: bytes at the end differ."""
    disk = Disk(tmp_path_factory.mktemp("many") / "disk")
    for number in range(MIN_PHOTOS):
        path = disk.photo(f"first/{number}.png", photos / (ONE, TWO)[number % 2])
        path.write_bytes(path.read_bytes() + bytes([number]))
    (disk.root / "mount").symlink_to("first")
    disk.csv("a", [f"../mount/{number}.png" for number in range(MIN_PHOTOS)])
    assert disk.run(stages=["masks"]).tally.computed_images == MIN_PHOTOS
    return disk


@pytest.mark.parametrize(("changed", "refused"), [(MIN_PHOTOS // 2, False), (MIN_PHOTOS // 2 + 1, True)])
def test_another_disk_under_the_same_path_is_noticed(many: Disk, changed: int, refused: bool) -> None:
    second = many.root / "second"
    shutil.copytree(many.root / "first", second)
    for number in range(changed):
        path = second / f"{number}.png"
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")  # of the same size
    (many.root / "mount").unlink()
    (many.root / "mount").symlink_to("second")
    before = many.everything()
    try:
        split = read_split_csv(many.root / "a/train_images.csv")
        if refused:
            with pytest.raises(OtherPhotosError, match=f"{changed} of {MIN_PHOTOS} photos have changed at once"):
                many.run(stages=["masks"])
            assert many.everything() == before
        else:
            assert refusal(load_split_state(split, Recipe(), many.settings)) is None
    finally:
        (many.root / "mount").unlink()
        (many.root / "mount").symlink_to("first")
        shutil.rmtree(second)


# -- folders of the first version -----------------------------------------------------------------------------


def test_a_folder_without_origin_needs_a_photo_that_matches(disk: Disk, photos: Path) -> None:
    disk.layout().origin.unlink()
    nothing_computed(disk.run())
    assert read_origin(disk.layout()) is not None
    disk.layout().origin.unlink()
    for number in (1, 2, 3):
        disk.photo(f"b/{number}.png", photos / FOUR)
    disk.csv("b", ["1.png", "2.png", "3.png"])
    before = disk.everything()
    with pytest.raises(OtherPhotosError):
        disk.run("b")
    assert disk.everything() == before
