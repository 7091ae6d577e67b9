"""A project with two splits, an experiment and exports, in which one photo stands under two names."""

import csv
import json
import os
import shutil
import signal
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.config.quality import DEFAULT_QUALITY
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.folder import list_csvs
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.records import read_record
from relight_assets.dataset.tombstones import FORGOTTEN
from relight_assets.engine.publish import write_split_failures, write_split_mapping
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets.engine.state.scan import SplitState
from relight_assets.exports.export import Exported, export_split
from relight_assets.exports.read_back import read_back
from relight_assets.exports.registry import layout
from relight_assets.exports.samples import write_samples
from relight_assets.forgetting.forget import Forgotten, forget
from relight_assets.forgetting.request import Lookup, Request
from relight_assets.reports.gallery.gallery import write_gallery
from relight_assets_tests.conftest import PORTRAITS, recipe_with, sha256

PHOTO, NUMBER = "hopper_square.png", 1
"""The photo that is forgotten, and its number in ``train``."""
OTHER_NAME = "other_name.png"
"""The same photo in ``val``."""
EXPERIMENT, OTHER_RECIPE = "x", recipe_with(seed=5)
TREES = ("imagefolder", "diffsynth", "onetrainer")
SHARDS = ("parquet", "webdataset")
TEXTS = {".json", ".jsonl", ".csv", ".txt", ".yaml", ".toml"}


@dataclass(frozen=True)
class World:
    """The project's folder, and its photos, which lie elsewhere."""

    root: Path
    photos: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def elsewhere(self) -> Path:
        """Where the experiment's exports lie."""
        return self.root / "elsewhere"

    @property
    def settings(self) -> Settings:
        return Settings(
            csv_dir=self.data,
            output_root=self.data / "outputs",
            dagster_home=self.root / "home",
            cpu_workers=1,
            threads=1,
        )

    @property
    def sha256(self) -> str:
        """Of the photo."""
        return sha256(self.photos / PHOTO)

    def photo_stamps(self) -> dict[str, tuple[int, int]]:
        """The inode and ctime of each photo by its name."""
        return {path.name: (path.stat().st_ino, path.stat().st_ctime_ns) for path in self.photos.iterdir()}

    @contextmanager
    def without_photos(self) -> Iterator[None]:
        away = self.photos.rename(self.photos.with_name("photos_away"))
        try:
            yield
        finally:
            away.rename(self.photos)

    def layout(self, split: str = "train", experiment: str | None = None) -> SplitLayout:
        return SplitLayout(split_folder(self.settings.output_root, split, experiment))

    def write_csv(self, split: str, names: Sequence[str]) -> None:
        rows = [[str(self.photos / name), "a note"] for name in names]
        with (self.data / f"{split}_images.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["image_path", "note"], *rows])

    def state(self, split: str = "train", experiment: str | None = None) -> SplitState:
        read = list_csvs(self.data, "*_images.csv").read(split)
        return load_split_state(read, OTHER_RECIPE if experiment else Recipe(), self.settings, experiment)

    def run(self, split: str = "train", experiment: str | None = None, **options: Any) -> SplitState:
        read = list_csvs(self.data, "*_images.csv").read(split)
        recipe = OTHER_RECIPE if experiment else Recipe()
        state = run_split(read, recipe, self.settings, RunOptions(experiment=experiment, **options)).state
        write_split_mapping(state, self.settings, experiment)
        write_split_failures(state, self.settings, experiment)
        return state

    def export(self, name: str, split: str = "train", experiment: str | None = None, **given: Any) -> Exported:
        spec = layout(name)
        if spec.shards is not None and split == "train":  # so many pictures that there are several
            spec = replace(spec, shards=replace(spec.shards, max_bytes=300_000))
        root = self.elsewhere / f"{name}-{experiment}" if experiment else self.settings.export_folder / name
        return export_split(self.state(split, experiment), spec, ExportOptions(**given), root)

    def forget(self, *photos: str, dry_run: bool = False, **others: Any) -> Forgotten:
        request = Request()
        for photo in photos:
            Lookup(self.settings).add(request, photo, "requested")
        return forget(self.settings, request, dry_run=dry_run, **others)

    def snapshots(self) -> list[Path]:
        found = [*self.settings.export_folder.glob("*/*"), *self.elsewhere.glob("*/*")]
        return sorted(path for path in found if path.is_dir() and not path.is_symlink())

    def files(self) -> dict[str, bytes]:
        """Every file below the project."""
        found = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def made_of(self, photo: str) -> set[str]:
        """The sha256 of every file that records say was made of a photo."""
        found = set()
        for folder in (self.layout(), self.layout("val"), self.layout(experiment=EXPERIMENT)):
            for number in folder.numbers("metadata.json"):
                record = read_record(folder.record(number))
                assert record is not None
                if record.source.sha256 == photo:
                    found |= {stamp.sha256 for entry in record.stages.values() for stamp in entry.files.values()}
        return found


def make_world(root: Path, photos: Path) -> World:
    """Run and export all of it."""
    world = World(root / "project", root / "photos")
    world.data.mkdir(parents=True)
    (world.root / "config").mkdir()
    (world.root / "config" / "platform.yaml").write_text("cpu_workers: 1\nthreads: 1\n")
    shutil.copytree(photos, world.photos)
    shutil.copyfile(photos / PHOTO, world.photos / OTHER_NAME)
    world.write_csv("train", [*PORTRAITS, "cat.png"])
    world.write_csv("val", [OTHER_NAME])
    for split, experiment in (("train", None), ("val", None), ("train", EXPERIMENT)):
        write_samples(state := world.run(split, experiment))
        write_gallery(state, world.settings, DEFAULT_QUALITY, experiment=experiment, most_in_one_file=3)
        for name in ("contact_sheet.jpg", "comparison.jpg"):
            shutil.copyfile(world.layout(split).shown(0, "input"), world.layout(split, experiment).folder / name)
    for name in (*TREES, *SHARDS):
        world.export(name)
    world.export("imagefolder", multiple_of=1)  # an older snapshot stays beside it
    world.export("imagefolder", "val")
    world.export("jsonl", experiment=EXPERIMENT)
    return world


@contextmanager
def copied(world: World) -> Iterator[World]:
    """A copy of the project under the same path, to change; the photos stay as they are, or they would count as new."""
    away = world.root.with_name("away")
    photos = world.photo_stamps()
    world.root.rename(away)
    shutil.copytree(away, world.root, symlinks=True)
    try:
        yield world
    finally:
        shutil.rmtree(world.root)
        away.rename(world.root)
    assert world.photo_stamps() == photos


def assert_forgotten(world: World, photo: str, made: set[str]) -> None:
    """Nothing that is recorded of the photo, or was made of it, lies anywhere in the project but in the list."""
    assert (world.settings.output_root / FORGOTTEN).read_text().startswith("sha256,reason\n")
    for path in world.root.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.name == FORGOTTEN:
            continue
        data = path.read_bytes()
        assert photo.encode() not in data, path
        assert not any(each.encode() in data for each in made), path
        assert sha256(path) not in made, path
    names = {str(path) for path in world.photos.iterdir() if sha256(path) == photo}
    for snapshot in world.snapshots():
        assert names.isdisjoint(pairs_of(snapshot)), snapshot
        faults = read_back(snapshot).faults
        assert not faults, f"{snapshot}: {faults}"
    left = [path for path in world.root.rglob(".*") if path.name.endswith((".partial", ".tmp"))]
    # Where others may be writing, what a killed writer of a mapping left stays.
    assert [
        path for path in left if path.parent not in {world.data, world.layout(experiment=EXPERIMENT).folder.parent}
    ] == []


def pairs_of(snapshot: Path) -> list[str]:
    """The photos whose pairs a snapshot holds, as its files say and not as the product's own readers do."""
    import pyarrow.parquet as pq  # of the extra `export` alone

    found = []
    for path in snapshot.rglob("*"):
        if path.suffix == ".parquet":
            found += pq.read_table(path, columns=["image_path"])["image_path"].to_pylist()
        elif path.suffix == ".tar":
            with tarfile.open(path) as tar:
                members = [tar.extractfile(each) for each in tar if each.name.endswith(".json")]
                found += [json.loads(each.read())["image_path"] for each in members if each is not None]
        elif path.suffix == ".jsonl":
            found += [json.loads(line)["image_path"] for line in path.read_text().splitlines()]
        elif path.name == "samples.csv":
            with path.open(encoding="utf-8", newline="") as file:
                found += [row["image_path"] for row in csv.DictReader(file)]
    return found


_CHANGES = {"os.remove", "os.rename", "os.rmdir"}
"""What the interpreter tells its audit hooks of whatever removes, renames or replaces a file or a folder."""


def count_changes(work: Callable[[], object], told: Path) -> None:
    """Do some work in this process, which is at its end then, and write how many changes it made."""
    seen: list[str] = []
    sys.addaudithook(lambda event, _: seen.append(event) if event in _CHANGES else None)
    work()
    told.write_text(str(len(seen)))


def die_before_change(nth: int) -> None:
    """Have this process end as by kill -9 just before its ``nth`` change."""
    left = nth

    def hook(event: str, _: object) -> None:
        nonlocal left
        if event in _CHANGES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
