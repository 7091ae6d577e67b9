"""Whose photos are these?  CSVs and photos that move, change and are mixed up, on real portraits and real processes."""

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relight_assets.dataset.index import load
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.origin import read_origin
from relight_assets.dataset.records import Record, read_record
from relight_assets.dataset.split_csv import read_split_csv
from relight_assets.engine.identity import MANY, refusal
from relight_assets.engine.outgoing import mapping_path, write_split_mapping
from relight_assets.engine.run import RunOptions, RunSummary, look, run_split
from relight_assets.errors import OtherPhotosError
from relight_assets.recipe import Recipe
from relight_assets.settings import Settings
from relight_assets.verify import verify_split
from relight_assets_tests.conftest import PORTRAITS, assert_records_tell_the_truth, computed, recipe_with, sha256

ONE, TWO, THREE, FOUR = PORTRAITS


@dataclass(frozen=True)
class World:
    """A disk with CSVs, photos and one folder of outputs, whose name is the same in every copy."""

    root: Path
    image_root: Path | None = None

    @property
    def settings(self) -> Settings:
        return Settings(
            csv_dir=self.root / "a",
            image_root=self.image_root,
            output_root=self.root / "out",
            dagster_home=self.root / "home",
            cpu_workers=1,
            threads=1,
        )

    def layout(self, experiment: str | None = None) -> SplitLayout:
        return SplitLayout(split_folder(self.settings.output_root, "train", experiment))

    def csv(self, folder: str, rows: list[str]) -> Path:
        """Write ``folder``/train_images.csv."""
        path = self.root / folder / "train_images.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("image_path,note\n" + "".join(f"{row},{number}\n" for number, row in enumerate(rows)))
        return path

    def photo(self, place: str, source: Path) -> Path:
        """Put a photo at a place below the root."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        return path

    def run(self, folder: str = "a", recipe: Recipe | None = None, **options: Any) -> RunSummary:
        """Run, and publish the mapping, as a run of the split's assets does."""
        split = read_split_csv(self.root / folder / "train_images.csv")
        summary = run_split(split, recipe or Recipe(), self.settings, RunOptions(**options))
        write_split_mapping(summary.survey, self.settings, options.get("experiment"))
        return summary

    def outputs(self, folder: str = "a") -> list[str]:
        """What the mapping beside a CSV names, by file name; empty where a cell is."""
        lines = (self.root / folder / "train_images_with_relighting_outputs.csv").read_text().splitlines()[1:]
        return [Path(line.rpartition(",")[2]).name for line in lines]

    def record(self, number: int, experiment: str | None = None) -> Record:
        record = read_record(self.layout(experiment).record(number))
        assert record is not None
        return record

    def pictures(self) -> dict[str, str]:
        return {path.name: sha256(path) for path in sorted(self.layout().folder.glob("*.png"))}

    def everything(self) -> dict[str, tuple[int, str]]:
        """Every file on the disk, by its inode and content; locks and counts of what is hashed say nothing."""
        return {
            str(path.relative_to(self.root)): (path.stat().st_ino, sha256(path))
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.name.startswith((".lock", ".progress"))
        }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> World:
    """Three photos beside their CSV, which was run; to be copied, not to be changed."""
    world = World(tmp_path_factory.mktemp("first") / "disk")
    for number, name in enumerate((ONE, TWO, THREE), start=1):
        world.photo(f"a/{number}.png", photos / name)
    world.csv("a", ["1.png", "2.png", "3.png"])
    assert world.run().tally.computed_images == 3
    return world


@pytest.fixture
def world(first: World, tmp_path: Path) -> Iterator[World]:
    """A disk like the first, under the same path: what only a copy could do to it is not meant here."""
    away = first.root.with_name("away")
    first.root.rename(away)
    shutil.copytree(away, first.root, copy_function=os.link)
    for path in first.root.rglob("*.png"):
        _own(path)
    for path in (*first.root.rglob("*.csv"), *first.root.rglob("*.json")):
        _own(path)
    world = World(first.root)
    world.run()  # the copies have other inodes, which are adopted
    yield world
    shutil.rmtree(first.root)
    away.rename(first.root)


def _own(path: Path) -> None:
    copy = path.with_suffix(".copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def nothing_computed(summary: RunSummary, rows: int = 3) -> None:
    assert summary.tally.computed_images == 0
    assert summary.survey.row_counts() == {"done": rows}


# -- the same photos, at other places -------------------------------------------------------------------------


def test_a_csv_that_moves_with_its_photos_keeps_all(world: World) -> None:
    before = world.pictures()
    (world.root / "a").rename(world.root / "b")
    nothing_computed(world.run("b"))
    assert world.pictures() == before
    assert world.outputs("b") == ["00000_output.png", "00001_output.png", "00002_output.png"]
    assert world.record(0).source.place == str(world.root / "b" / "1.png")
    origin = read_origin(world.layout())
    assert origin is not None
    assert origin.path == str(world.root / "b" / "train_images.csv")


def test_photos_that_move_to_other_names_keep_their_numbers(world: World) -> None:
    before = world.pictures()
    for number in (1, 2, 3):
        (world.root / f"new/person {number}.png").parent.mkdir(exist_ok=True)
        (world.root / f"a/{number}.png").rename(world.root / f"new/person {number}.png")
    world.csv("a", ["../new/person 3.png", "../new/person 1.png", "../new/person 2.png"])
    nothing_computed(world.run())
    assert world.pictures() == before
    assert world.outputs() == ["00002_output.png", "00000_output.png", "00001_output.png"]
    assert load(world.layout()) == {f"../new/person {n}.png": n - 1 for n in (1, 2, 3)}
    assert world.record(2).image_path == "../new/person 3.png"
    assert world.run().survey.orphans == 0


def test_an_image_root_that_is_set_later_relabels_nothing(world: World) -> None:
    before = world.pictures()
    world.csv("a", [str(world.root / f"a/{number}.png") for number in (1, 2, 3)])
    nothing_computed(world.run())
    assert list(load(world.layout())) == [str(world.root / f"a/{number}.png") for number in (1, 2, 3)]
    rooted = World(world.root, image_root=world.root / "a")
    nothing_computed(rooted.run())
    assert load(world.layout()) == {"1.png": 0, "2.png": 1, "3.png": 2}
    assert world.pictures() == before


def test_an_image_root_in_which_the_same_photos_lie(world: World) -> None:
    shutil.copytree(world.root / "a", world.root / "root", ignore=shutil.ignore_patterns("*.csv"))
    nothing_computed(World(world.root, image_root=world.root / "root").run())
    assert world.record(0).source.place == str(world.root / "root" / "1.png")


def test_a_photo_that_moved_and_was_edited_is_a_conflict(world: World, photos: Path) -> None:
    (world.root / "a").rename(world.root / "b")
    world.photo("b/2.png", photos / FOUR)
    before = world.everything()
    with pytest.raises(OtherPhotosError, match=r"1 of 3 differ, for instance '2.png'") as error:
        world.run("b")
    assert str(world.root / "a" / "2.png") in str(error.value)
    assert world.everything() == before
    assert computed(world.run("b", replace_photos=True))["masks"] == 1


def test_of_two_photos_alike_each_number_goes_to_one(world: World, photos: Path) -> None:
    world.photo("a/x.png", photos / ONE)
    world.photo("a/y.png", photos / ONE)
    (world.root / "a/1.png").unlink()
    world.csv("a", ["y.png", "x.png", "2.png", "3.png"])
    summary = world.run()
    assert summary.tally.computed_images == 1
    assert load(world.layout()) == {"y.png": 0, "2.png": 1, "3.png": 2, "x.png": 3}


def test_a_new_photo_takes_no_number_of_one_that_is_still_named(world: World, photos: Path) -> None:
    world.photo("a/4.png", photos / ONE)
    world.csv("a", ["1.png", "2.png", "3.png", "4.png"])
    assert world.run().tally.computed_images == 1
    assert load(world.layout())["4.png"] == 3


# -- other photos under the same names ------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "told"), [(["1.png"], "1 of its 1 names"), (["x.png"], "0 of its 1 names")])
def test_a_csv_of_the_same_name_in_another_folder_is_refused(
    world: World, photos: Path, names: list[str], told: str
) -> None:
    for name in names:
        world.photo(f"b/{name}", photos / FOUR)
    world.csv("b", names)
    before = world.everything()
    with pytest.raises(OtherPhotosError, match=told) as error:
        world.run("b")
    sentence = str(error.value)
    assert sentence.count("\n") == 0
    for part in (str(world.layout().folder), str(world.root / "a" / "train_images.csv"), "output_root", "--replace"):
        assert part in sentence
    assert world.everything() == before
    assert verify_split(read_split_csv(world.root / "b/train_images.csv"), Recipe(), world.settings).faults[0].code == (
        "origin"
    )


def test_equal_size_and_time_do_not_make_the_same_photo(world: World, photos: Path) -> None:
    # As two folders that were unpacked from archives made alike; the first CSV is gone, so content alone decides.
    other = world.photo("b/1.png", photos / FOUR)
    own = world.root / "a/1.png"
    size = max(own.stat().st_size, other.stat().st_size)
    for path in (own, other):
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        os.utime(path, (10**9, 10**9))
    world.run()
    shutil.copytree(world.root / "a", world.root / "gone")
    shutil.rmtree(world.root / "a")
    world.csv("b", ["1.png"])
    assert look(read_split_csv(world.root / "b/train_images.csv"), Recipe(), world.settings).unchecked_rows == 1
    with pytest.raises(OtherPhotosError):
        world.run("b")


def test_replace_gives_the_folder_to_the_other_csv(world: World, photos: Path) -> None:
    world.photo("b/1.png", photos / FOUR)
    world.csv("b", ["1.png"])
    alone = World(world.root.with_name("alone"))
    alone.photo("b/1.png", photos / FOUR)
    alone.csv("b", ["1.png"])
    alone.run("b")
    summary = world.run("b", replace_photos=True)
    assert summary.survey.row_counts() == {"done": 1}
    assert world.pictures()["00000_output.png"] == alone.pictures()["00000_output.png"]
    assert world.outputs("b") == ["00000_output.png"]
    assert world.outputs("a") == ["", "00001_output.png", "00002_output.png"]  # of the first one's people nothing else
    assert world.record(0).source.place == str(world.root / "b/1.png")
    with pytest.raises(OtherPhotosError):
        world.run("a")
    nothing_computed(world.run("b"), rows=1)


def test_a_csv_whose_origin_cannot_be_read_is_refused(world: World, photos: Path) -> None:
    shutil.copytree(world.root / "a", world.root / "b")
    (world.root / "a/train_images.csv").unlink()
    (world.root / "a/train_images.csv").symlink_to("train_images.csv")  # of somebody else, who lets nobody read it
    with pytest.raises(OtherPhotosError, match="cannot be read now"):
        world.run("b")


def test_a_csv_whose_origin_is_gone_needs_one_photo_that_matches(world: World, photos: Path) -> None:
    shutil.rmtree(world.root / "a")
    world.photo("b/x.png", photos / FOUR)
    world.csv("b", ["x.png"])
    before = world.everything()
    with pytest.raises(OtherPhotosError, match="none of the 1 photos"):
        world.run("b")
    assert world.everything() == before
    world.photo("b/y.png", photos / TWO)
    world.csv("b", ["x.png", "y.png"])
    assert world.run("b").tally.computed_images == 1
    assert load(world.layout())["y.png"] == 1


def test_photos_that_cannot_be_read_decide_nothing(world: World) -> None:
    before = world.pictures()
    (world.root / "a/2.png").rename(world.root / "2.png")
    assert world.run().survey.row_counts() == {"done": 2, "failed": 1}
    (world.root / "2.png").rename(world.root / "a/2.png")
    nothing_computed(world.run())
    (world.root / "a").rename(world.root / "b")
    for number in (1, 2, 3):  # the same CSV, whose photos are away
        (world.root / f"b/{number}.png").rename(world.root / f"{number}.png")
    assert world.run("b").survey.row_counts() == {"failed": 3}
    for number in (1, 2, 3):
        (world.root / f"{number}.png").rename(world.root / f"b/{number}.png")
    nothing_computed(world.run("b"))
    assert world.pictures() == before


def test_photos_that_come_after_their_new_names_keep_their_pictures(world: World) -> None:
    before = world.pictures()
    (world.root / "new").mkdir()
    for number in (1, 2, 3):
        (world.root / f"a/{number}.png").rename(world.root / f"new/{number}.png")
    world.csv("a", ["n1.png", "n2.png", "n3.png"])
    assert world.run().survey.row_counts() == {"failed": 3}
    for number in (1, 2, 3):
        (world.root / f"new/{number}.png").rename(world.root / f"a/n{number}.png")
    nothing_computed(world.run())
    assert world.pictures() == before
    assert load(world.layout()) == {"n1.png": 0, "n2.png": 1, "n3.png": 2}


# -- the same places, other content ---------------------------------------------------------------------------


def test_an_edited_photo_is_redone(world: World, photos: Path) -> None:
    world.photo("a/2.png", photos / FOUR)
    assert computed(world.run()) == {"masks": 1, "albedo": 1, "degraded": 1, "composites": 1}
    assert_records_tell_the_truth(world.layout())


def test_a_photo_replaced_within_a_tick_is_redone(world: World, photos: Path) -> None:
    path = world.root / "a/2.png"
    path.write_bytes(path.read_bytes().ljust(200_000, b"\0"))
    world.run()
    before = path.stat()
    path.write_bytes((photos / FOUR).read_bytes().ljust(200_000, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert world.run().tally.computed_images == 1
    assert world.record(1).source.sha256 == sha256(path)


def test_a_link_to_another_photo_is_an_edit(world: World, photos: Path) -> None:
    path = world.root / "a/2.png"
    path.unlink()
    path.symlink_to(world.photo("store/x.png", photos / TWO))
    nothing_computed(world.run())  # the same content, wherever it lies
    path.unlink()
    path.symlink_to(world.photo("store/y.png", photos / FOUR))
    assert world.run().tally.computed_images == 1
    assert world.record(1).source.place == str(path)


def test_a_touched_photo_is_hashed_and_nothing_is_computed(world: World) -> None:
    os.utime(world.root / "a/2.png")
    state = look(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings)
    assert state.unchecked_rows == 1
    assert state.row_counts() == {"done": 2, "pending": 1}
    nothing_computed(world.run())
    after = look(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings)
    assert (after.unchecked_rows, after.row_counts()) == (0, {"done": 3})


# -- another disk ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> World:
    """As many photos as tell that a disk is another, of which most are the same few: bytes at the end differ."""
    world = World(tmp_path_factory.mktemp("many") / "disk")
    for number in range(MANY):
        path = world.photo(f"first/{number}.png", photos / (ONE, TWO)[number % 2])
        path.write_bytes(path.read_bytes() + bytes([number]))
    (world.root / "mount").symlink_to("first")
    world.csv("a", [f"../mount/{number}.png" for number in range(MANY)])
    assert world.run(stages=["masks"]).tally.computed_images == MANY
    return world


@pytest.mark.parametrize(("changed", "refused"), [(MANY // 2, False), (MANY // 2 + 1, True)])
def test_another_disk_under_the_same_path_is_noticed(many: World, changed: int, refused: bool) -> None:
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
            with pytest.raises(OtherPhotosError, match=f"{changed} of {MANY} photos have changed at once"):
                many.run(stages=["masks"])
            assert many.everything() == before
        else:
            assert refusal(look(split, Recipe(), many.settings)) is None
    finally:
        (many.root / "mount").unlink()
        (many.root / "mount").symlink_to("first")
        shutil.rmtree(second)


# -- copies ---------------------------------------------------------------------------------------------------


def _by_copytree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copy)  # with the time of the copy, as `cp -r`


def _by_tar(source: Path, target: Path) -> None:
    archive = source.with_suffix(".tar")
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:  # whole seconds
        tar.add(source, "disk")
    with tarfile.open(archive) as tar:
        tar.extractall(target.parent, filter="fully_trusted")  # noqa: S202  (made just now)
    archive.unlink()


def _by_zip(source: Path, target: Path) -> None:
    archive = source.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in sorted(source.rglob("*")):
            bundle.write(path, path.relative_to(source))
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(target)  # noqa: S202  (made just now)
    for path in target.rglob("*"):
        whole = int(path.stat().st_mtime) // 2 * 2  # the ticks of a zip
        os.utime(path, (whole, whole))
    archive.unlink()


def _by_rsync(source: Path, target: Path) -> None:
    if shutil.which("rsync") is None:
        shutil.copytree(source, target)  # what `rsync -a` keeps: times, to the nanosecond
        return
    subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)


@pytest.mark.parametrize("copy", [_by_copytree, _by_tar, _by_zip, _by_rsync])
@pytest.mark.parametrize("whole", [True, False], ids=["back in its place", "elsewhere"])
def test_a_copy_computes_nothing(first: World, tmp_path: Path, copy: Callable[[Path, Path], None], whole: bool) -> None:
    before = first.pictures()
    target = tmp_path / "disk"
    copy(first.root, target)
    away = first.root.with_name("away")
    if whole:  # a restored backup: the same paths
        first.root.rename(away)
        target.rename(first.root)
    world = World(first.root if whole else target)
    try:
        state = look(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings)
        assert state.unchecked_rows == 3
        nothing_computed(world.run())
        assert world.pictures() == before
        assert verify_split(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings).faults == []
        nothing_computed(world.run())
        after = look(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings)
        assert (after.unchecked_rows, after.row_counts()) == (0, {"done": 3})
    finally:
        if whole:
            shutil.rmtree(first.root)
            away.rename(first.root)


def test_a_copy_whose_photos_are_renamed_at_once_computes_nothing(first: World, tmp_path: Path) -> None:
    world = World(tmp_path / "disk")
    _by_copytree(first.root, world.root)
    (world.root / "a").rename(world.root / "b")
    for number in (1, 2, 3):
        (world.root / f"b/{number}.png").rename(world.root / f"b/new{number}.png")
    world.csv("b", [f"new{number}.png" for number in (1, 2, 3)])
    # It belongs to a CSV that is still there, with other content: that is for a person to say.
    with pytest.raises(OtherPhotosError):
        world.run("b")
    nothing_computed(world.run("b", replace_photos=True))


# -- experiments ----------------------------------------------------------------------------------------------


def test_an_experiment_keeps_to_its_own_csv(world: World, photos: Path) -> None:
    other = recipe_with(seed=7)
    assert computed(world.run(recipe=other, experiment="x")) == {
        "masks": 0,
        "albedo": 0,
        "degraded": 3,
        "composites": 3,
    }
    world.photo("b/1.png", photos / FOUR)
    world.csv("b", ["1.png"])
    before = world.everything()
    with pytest.raises(OtherPhotosError):
        world.run("b", recipe=other, experiment="x")
    assert world.everything() == before


def test_an_experiment_links_nothing_of_another_photo(world: World, photos: Path) -> None:
    world.photo("b/1.png", photos / FOUR)
    world.photo("b/2.png", photos / TWO)  # the split has its masks, under the same name
    world.csv("b", ["1.png", "2.png"])
    summary = world.run("b", recipe=recipe_with(seed=7), experiment="y")
    assert computed(summary) == {"masks": 1, "albedo": 1, "degraded": 2, "composites": 2}
    for number, name in ((0, FOUR), (1, TWO)):
        assert world.record(number, "y").source.sha256 == sha256(photos / name)


def test_an_experiment_of_a_restored_folder_takes_over_what_is_there(first: World, tmp_path: Path) -> None:
    world = World(tmp_path / "disk")
    _by_copytree(first.root, world.root)
    summary = world.run(recipe=recipe_with(seed=7), experiment="x")
    assert computed(summary) == {"masks": 0, "albedo": 0, "degraded": 3, "composites": 3}


# -- folders of the first version -----------------------------------------------------------------------------


def test_a_folder_without_origin_needs_a_photo_that_matches(world: World, photos: Path) -> None:
    world.layout().origin.unlink()
    nothing_computed(world.run())
    assert read_origin(world.layout()) is not None
    world.layout().origin.unlink()
    for number in (1, 2, 3):
        world.photo(f"b/{number}.png", photos / FOUR)
    world.csv("b", ["1.png", "2.png", "3.png"])
    before = world.everything()
    with pytest.raises(OtherPhotosError):
        world.run("b")
    assert world.everything() == before


def test_what_is_mapped_is_where_the_run_says(world: World) -> None:
    state = look(read_split_csv(world.root / "a/train_images.csv"), Recipe(), world.settings)
    origin = read_origin(world.layout())
    assert origin is not None
    assert origin.mappings == (str(mapping_path(state, world.settings)),)
    assert origin.sha256 == sha256(world.root / "a/train_images.csv")
