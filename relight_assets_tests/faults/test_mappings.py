"""kill -9 at every write of a run that writes over pictures: every mapping on the disk names what is there alone."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.split_csv import read_split_csv
from relight_assets.engine.outgoing import stage_mapping, write_split_failures
from relight_assets.engine.run import RunOptions, look, run_split
from relight_assets.recipe import Recipe
from relight_assets.settings import Settings
from relight_assets_tests.conftest import recipe_with
from relight_assets_tests.faults.invariants import assert_mappings_are_true
from relight_assets_tests.faults.seam import Point, in_a_child, watch_writes

GRAY, RELIT = Recipe(), recipe_with(seed=7)


@dataclass(frozen=True)
class Case:
    """A finished split, something that happens to it, and the run after that."""

    recipe: Recipe = GRAY
    """Of the run that is killed."""
    before: Recipe = GRAY
    happens: Callable[["Disk"], object] = lambda _: None
    folder: str = "a"
    """Of the CSV of the run that is killed."""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Disk:
    """Two CSVs of one name, three photos each, and one folder of outputs."""

    root: Path

    @property
    def settings(self) -> Settings:
        return Settings(csv_dir=self.root / "a", output_root=self.root / "out", cpu_workers=1, threads=1)

    def layouts(self) -> list[SplitLayout]:
        return [SplitLayout(split_folder(self.settings.output_root, "train", name)) for name in (None, "x")]

    def write_csv(self, folder: str, rows: list[str]) -> None:
        lines = [f"{row},{number}\n" for number, row in enumerate(rows)]
        (self.root / folder / "train_images.csv").write_text("".join(["image_path,note\n", *lines]))

    def run(self, recipe: Recipe, folder: str = "a", **options: Any) -> None:
        """A run, its mapping and its failures, as the assets make them one after the other."""
        split, experiment = read_split_csv(self.root / folder / "train_images.csv"), options.get("experiment")
        run_split(split, recipe, self.settings, RunOptions(**options))
        survey = look(split, recipe, self.settings, experiment)
        stage_mapping(survey, self.settings, experiment).publish()
        write_split_failures(survey, self.settings, experiment)

    def named(self) -> int:
        """How many rows name a picture, each of which is that of its row."""
        return assert_mappings_are_true(self.root, *self.layouts(), csv_folder=self.root / "a", before=EDITED)


EDITED = "before an edit.bin"
"""Beside an edited photo: what it was.  Until a run has begun nobody can know that it is another."""


def _edit(disk: Disk) -> None:
    (disk.root / "a/1.png").rename(disk.root / f"a/1.png {EDITED}")
    shutil.copyfile(disk.root / "b/1.png", disk.root / "a/1.png")


CASES = {
    "another recipe, with two lights each": Case(
        before=recipe_with(variants=2), recipe=recipe_with(variants=2, seed=3)
    ),
    "another CSV of the same name": Case(folder="b", options={"replace_photos": True}),
    "rows that moved, and a photo that was edited": Case(
        happens=lambda disk: (disk.write_csv("a", ["2.png", "1.png"]), _edit(disk))
    ),
    "an experiment": Case(recipe=recipe_with(seed=9), options={"experiment": "x"}),
}


@pytest.fixture
def disk(tmp_path: Path, stock: Path) -> Disk:
    made = Disk(tmp_path / "disk")
    for folder, first in (("a", 0), ("b", 3)):
        (made.root / folder).mkdir(parents=True)
        for number in range(2):
            shutil.copyfile(stock / f"{first + number:02d}.png", made.root / folder / f"{number + 1}.png")
        made.write_csv(folder, ["1.png", "2.png"])
    return made


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_write(disk: Disk, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    in_a_child(lambda: disk.run(case.before))
    if "experiment" in case.options:
        in_a_child(lambda: disk.run(RELIT, **case.options))
    assert disk.named() >= 2
    case.happens(disk)
    kept = tmp_path / "kept"
    _copy(disk.root, kept)

    def work() -> None:
        disk.run(case.recipe, case.folder, **case.options)

    points = _points(work, tmp_path / "seen")
    assert {point.name for point in points} >= {".lock.json", "recipe.yaml", "train_images_with_relighting_outputs.csv"}
    named_in_between = []
    for point in points:
        shutil.rmtree(disk.root)
        _copy(kept, disk.root)
        assert in_a_child(work, point), point
        named_in_between.append(disk.named())
    in_a_child(work)
    # At some moment what was about to be made anew was named by nobody, and in the end all is.
    assert min(named_in_between) < disk.named()


def _points(work: Callable[[], object], seen: Path) -> list[Point]:
    """After every write of the process that does ``work``, which is what the next one finds; workers have their own."""

    def watched() -> None:
        watch_writes(lambda name, moment: os.write(log, f"{name}\n".encode()) if moment == "renamed" else None)
        work()

    log = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    in_a_child(watched)
    os.close(log)
    counts: Counter[str] = Counter()
    points = []
    for name in seen.read_text().splitlines():
        counts[name] += 1
        if name != ".progress.json" or counts[name] == 1:  # how often that is written the clock decides
            points.append(Point(name, "renamed", counts[name]))
    return points


def _copy(source: Path, target: Path) -> None:
    """With times; inodes and ctimes of photos are others, so they are hashed by the next run."""
    shutil.copytree(source, target)
