"""What a run does before the work, on folders that were copied and restored, and in experiments."""

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.origin import read_origin
from relight_assets.engine.publish import mapping_path
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import OtherPhotosError
from relight_assets.quality.verify.split import verify_split
from relight_assets_tests.conftest import computed, recipe_with, sha256
from relight_assets_tests.engine.disks import FOUR, TWO, Disk, nothing_computed

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
def test_a_copy_computes_nothing(first: Disk, tmp_path: Path, copy: Callable[[Path, Path], None], whole: bool) -> None:
    before = first.png_hashes()
    target = tmp_path / "disk"
    copy(first.root, target)
    away = first.root.with_name("away")
    if whole:  # a restored backup: the same paths
        first.root.rename(away)
        target.rename(first.root)
    disk = Disk(first.root if whole else target)
    try:
        state = load_split_state(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings)
        assert state.unchecked_rows == 3
        nothing_computed(disk.run())
        assert disk.png_hashes() == before
        assert verify_split(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings).faults == []
        nothing_computed(disk.run())
        after = load_split_state(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings)
        assert (after.unchecked_rows, after.row_counts()) == (0, {"done": 3})
    finally:
        if whole:
            shutil.rmtree(first.root)
            away.rename(first.root)


def test_a_copy_whose_photos_are_renamed_at_once_computes_nothing(first: Disk, tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    _by_copytree(first.root, disk.root)
    (disk.root / "a").rename(disk.root / "b")
    for number in (1, 2, 3):
        (disk.root / f"b/{number}.png").rename(disk.root / f"b/new{number}.png")
    disk.csv("b", [f"new{number}.png" for number in (1, 2, 3)])
    # It belongs to a CSV that is still there, with other content: that is for a person to say.
    with pytest.raises(OtherPhotosError):
        disk.run("b")
    nothing_computed(disk.run("b", replace_photos=True))


# -- experiments ----------------------------------------------------------------------------------------------


def test_an_experiment_keeps_to_its_own_csv(disk: Disk, photos: Path) -> None:
    other = recipe_with(seed=7)
    assert computed(disk.run(recipe=other, experiment="x")) == {
        "masks": 0,
        "albedo": 0,
        "degraded": 3,
        "composites": 3,
    }
    disk.photo("b/1.png", photos / FOUR)
    disk.csv("b", ["1.png"])
    before = disk.everything()
    with pytest.raises(OtherPhotosError):
        disk.run("b", recipe=other, experiment="x")
    assert disk.everything() == before


def test_an_experiment_links_nothing_of_another_photo(disk: Disk, photos: Path) -> None:
    disk.photo("b/1.png", photos / FOUR)
    disk.photo("b/2.png", photos / TWO)  # the split has its masks, under the same name
    disk.csv("b", ["1.png", "2.png"])
    summary = disk.run("b", recipe=recipe_with(seed=7), experiment="y")
    assert computed(summary) == {"masks": 1, "albedo": 1, "degraded": 2, "composites": 2}
    for number, name in ((0, FOUR), (1, TWO)):
        assert disk.record(number, "y").source.sha256 == sha256(photos / name)


def test_an_experiment_of_a_restored_folder_takes_over_what_is_there(first: Disk, tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    _by_copytree(first.root, disk.root)
    summary = disk.run(recipe=recipe_with(seed=7), experiment="x")
    assert computed(summary) == {"masks": 0, "albedo": 0, "degraded": 3, "composites": 3}


def test_what_is_mapped_is_where_the_run_says(disk: Disk) -> None:
    state = load_split_state(read_split_csv(disk.root / "a/train_images.csv"), Recipe(), disk.settings)
    origin = read_origin(disk.layout())
    assert origin is not None
    assert origin.mappings == (str(mapping_path(state, disk.settings)),)
    assert origin.sha256 == sha256(disk.root / "a/train_images.csv")
