"""No mapping ever names an image that is not current for its row: read, and killed, at every write of a whole run."""

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import pytest

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.defs.publishing import publish
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import OutputFolderError
from relight_assets.storage.local import LocalStorage
from relight_assets_tests.conftest import recipe_with, sha256
from relight_assets_tests.faults.driver import driven, wait_for
from relight_assets_tests.faults.invariants import (
    FaultBench,
    assert_mappings_are_true,
    mappings,
    named_images,
)
from relight_assets_tests.faults.seam import MOMENTS, Moment, Point, in_a_child, watched
from relight_assets_tests.faults.whole_run import GRAY, whole_run

MAPPING = "train_images_with_relighting_outputs.csv"
VARIANTS = "train_images_variants.csv"
OTHER = recipe_with(seed=9)
DARK = recipe_with(background={"gray_color": [10, 20, 30]})
EVERY = 1 if "KILLS_ROUNDS" in os.environ else 3
"""Of so many writes the run is killed at one; `make kills` does all."""
HEAL_EVERY = 15 // EVERY
"""Whole runs after a kill are slow; so often one is made."""


@dataclass(frozen=True)
class Scenario:
    """What lies there, and the run that is watched."""

    before: Callable[[FaultBench], None]
    """Makes what lies there; in a process of its own."""
    run: dict[str, Any] = field(default_factory=dict)
    """What :func:`whole_run` is given; paths are relative to the bench."""
    mapping: str = MAPPING
    """The one that is published."""
    stay: tuple[str, ...] = ()
    """The photos not in work, which the mappings name at every moment."""
    end: tuple[str, ...] = ("00", "01", "02")
    """The photos that the mapping names at last."""
    others: tuple[str, ...] = ()
    """Mappings of another folder, which stay as they are."""

    def __call__(self, bench: FaultBench, storage: LocalStorage) -> None:
        paths = {name: bench.folder / self.run[name] for name in ("csv", "mapping_dir") if name in self.run}
        whole_run(bench, storage=storage, **{**self.run, **paths})


def edit(photo: Path) -> None:
    image = cv2.imread(str(photo))
    assert image is not None
    image[0, 1] = 77
    cv2.imwrite(str(photo), image)


def nothing(bench: FaultBench) -> None:
    """It is a first run."""


def done(**run: Any) -> Callable[[FaultBench], None]:
    return lambda bench: whole_run(bench, **run)


def an_edited_photo(bench: FaultBench) -> None:
    whole_run(bench, mapping_dir=bench.folder / "former")
    whole_run(bench)
    edit(bench.folder / "images" / "01.png")


def a_csv_that_changed(bench: FaultBench) -> None:
    """A row is gone, a photo is edited, the notes and the order are others."""
    whole_run(bench)
    images = bench.folder / "images"
    edit(images / "02.png")
    lines = ["image_path,note", *(f"{images / name},another note" for name in ("02.png", "01.png"))]
    bench.csv_path.write_text("\n".join(lines) + "\n")


def a_renamed_photo(bench: FaultBench) -> None:
    whole_run(bench)
    images = bench.folder / "images"
    (images / "01.png").rename(images / "03.png")
    edit(images / "02.png")
    bench.write_csv([str(images / name) for name in ("00.png", "02.png", "03.png")])


def a_csv_of_the_same_name(bench: FaultBench) -> None:
    """Two folders, each with a CSV and photos of the same names; the first was run."""
    for folder, first in (("one", 0), ("two", 3)):
        (bench.folder / folder).mkdir()
        for number in range(3):
            name = f"{number:02d}.png"
            shutil.copyfile(bench.photos / f"{number + first:02d}.png", bench.folder / folder / name)
        lines = ["image_path,note", *(f"{number:02d}.png," for number in range(3))]
        (bench.folder / folder / "train_images.csv").write_text("\n".join(lines) + "\n")
    whole_run(bench, csv=bench.folder / "one" / "train_images.csv")


def an_experiment(bench: FaultBench) -> None:
    whole_run(bench)
    whole_run(bench, OTHER, experiment="x")


SCENARIOS = {
    "a first run": Scenario(nothing),
    "nothing to do": Scenario(done(), stay=("00", "01", "02")),
    "another recipe": Scenario(done(), {"recipe": OTHER}),
    "another gray and the first rows alone": Scenario(done(), {"recipe": DARK, "num_samples": 2}, end=("00", "01")),
    "another recipe and one stage alone": Scenario(done(), {"recipe": OTHER, "stages": ("degraded",)}, end=()),
    "an edited photo": Scenario(an_edited_photo, stay=("00", "02")),
    "a changed CSV": Scenario(a_csv_that_changed, stay=("00", "01"), end=("02", "01")),
    "a renamed photo": Scenario(a_renamed_photo, stay=("00",), end=("00", "02", "03")),
    "a CSV of the same name": Scenario(
        a_csv_of_the_same_name, {"csv": "two/train_images.csv", "replace_photos": True}, f"two/{MAPPING}"
    ),
    "two lights": Scenario(done(), {"recipe": recipe_with(variants=2)}),
    "three lights and then one": Scenario(done(recipe=recipe_with(variants=3))),
    "an experiment": Scenario(
        an_experiment, {"recipe": DARK, "experiment": "x"}, f"out/experiments/x/{MAPPING}", others=(MAPPING,)
    ),
    "another mapping_dir": Scenario(
        done(mapping_dir=None), {"recipe": OTHER, "mapping_dir": "elsewhere"}, f"elsewhere/{MAPPING}"
    ),
}


@dataclass
class Scene:
    """A bench as a scenario has it, which can be had again and again."""

    bench: FaultBench
    scenario: Scenario

    def __post_init__(self) -> None:
        for name in ("former", "elsewhere"):
            (self.bench.folder / name).mkdir()
        self.bench.stock_up(3)
        self.bench.edited = {sha256(photo) for photo in self.bench.folder.glob("images/*.png")}
        in_a_child(lambda _: self.scenario.before(self.bench))
        self._saved = self.bench.folder.with_name(f"{self.bench.folder.name}-saved")
        shutil.copytree(self.bench.folder, self._saved)

    def anew(self) -> None:
        """Put everything back but photos and inputs, whose inodes are known."""
        shutil.rmtree(self.bench.folder / "out", ignore_errors=True)
        for path in mappings(self.bench.folder):
            path.unlink()
        if (self._saved / "out").exists():
            shutil.copytree(self._saved / "out", self.bench.folder / "out")
        for path in mappings(self._saved):
            shutil.copy2(path, self.bench.folder / path.relative_to(self._saved))

    def named(self) -> dict[str, list[str]]:
        """The photos of which each mapping names an image."""
        folder = self.bench.folder
        return {
            str(path.relative_to(folder)): [Path(cell).stem for cell, output in named_images(path).items() if output]
            for path in mappings(folder)
        }

    def finished(self) -> None:
        """Nothing has stopped the last run."""
        assert_mappings_are_true(self.bench)
        assert self.named()[self.scenario.mapping] == list(self.scenario.end)
        assert not list(self.bench.folder.rglob(".mapping.csv"))


@pytest.fixture(params=SCENARIOS.values(), ids=SCENARIOS.keys())
def scene(tmp_path: Path, stock: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(FaultBench(tmp_path, stock), request.param)


@dataclass
class Reading:
    """What a reader sees at one moment of one write."""

    name: str
    moment: str
    named: dict[str, list[str]]
    fault: str = ""


def readings(scene: Scene) -> list[Reading]:
    """Do the run, and read all mappings at every moment of every write of it."""
    found: list[dict[str, Any]] = []

    def read(name: str, moment: Moment) -> None:
        fault = ""
        try:
            assert_mappings_are_true(scene.bench)
        except Exception as error:  # noqa: BLE001  (which the run would take for one of an image)
            fault = repr(error)
        found.append({"name": name, "moment": moment, "named": scene.named(), "fault": fault})

    def work(_: LocalStorage) -> None:
        scene.scenario(scene.bench, watched(read))
        (scene.bench.folder / "readings").write_text(json.dumps(found))

    in_a_child(work)
    return [Reading(**entry) for entry in json.loads((scene.bench.folder / "readings").read_text())]


def test_whoever_reads_a_mapping_at_any_moment_reads_the_truth(scene: Scene) -> None:
    scenario, found = scene.scenario, readings(scene)
    assert not [reading for reading in found if reading.fault]
    events = [(reading.name, reading.moment) for reading in found]
    begun = events.index(("recipe.yaml", "before"))
    published = events.index((Path(scenario.mapping).name, "renamed"), begun)
    for reading in found[begun:published]:
        for mapping, named in reading.named.items():
            assert named == list(scenario.end if mapping in scenario.others else scenario.stay), (mapping, reading)
    scene.finished()


def test_a_run_that_is_killed_at_any_write_leaves_the_truth_and_the_next_one_all_of_it(scene: Scene) -> None:
    writes = [reading.name for reading in readings(scene) if reading.moment == "renamed"]
    for place, point in enumerate(islice(points(writes), 0, None, EVERY)):
        scene.anew()
        assert in_a_child(lambda storage: scene.scenario(scene.bench, storage), point), point
        assert_mappings_are_true(scene.bench)
        if place % HEAL_EVERY == 0:
            in_a_child(lambda storage: scene.scenario(scene.bench, storage))
            scene.finished()


def points(writes: list[str]) -> Iterator[Point]:
    """A moment of each write, in turn; of all images' those of the first, and of progress, which goes by the clock."""
    seen: Counter[str] = Counter()
    first = next((name.partition("_")[0] for name in writes if name.endswith(".png")), "")
    for place, name in enumerate(writes):
        seen[name] += 1
        if name.partition("_")[0] == first or not (name[0].isdigit() or (name == ".progress.json" and seen[name] > 1)):
            yield Point(name, MOMENTS[place % len(MOMENTS)], seen[name])


# -- while workers are at work -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [None, signal.SIGTERM, signal.SIGKILL], ids=["at work", "terminated", "killed"])
def test_rows_in_work_are_empty_until_they_are_done(bench: FaultBench, how: signal.Signals | None) -> None:
    bench.stock_up(4, {2: "hold"})
    held = bench.folder / "images" / "02-hold.png"
    bench.edited = {sha256(photo) for photo in bench.folder.glob("images/*.png")}
    bench.start(ImageWorker)
    publish(bench.split(), LoadedRecipe(GRAY, ()), bench.settings)
    before = (bench.folder / MAPPING).read_text()
    edit(held)
    with driven(bench.job("FaultyWorker"), bench.folder) as process:
        wait_for(held.with_name(f"{held.name}.held").exists)
        if how is None:
            with pytest.raises(OutputFolderError, match=f"is being written by process {process.pid} on"):
                publish(bench.split(), LoadedRecipe(GRAY, ()), bench.settings)
        else:
            process.send_signal(how)
            process.wait()
        assert_mappings_are_true(bench)
        named = named_images(bench.folder / MAPPING)
        assert [Path(cell).name for cell, output in named.items() if not output] == [held.name]
    bench.start(ImageWorker)
    assert_mappings_are_true(bench)
    publish(bench.split(), LoadedRecipe(GRAY, ()), bench.settings)
    assert (bench.folder / MAPPING).read_text() == before
    assert_mappings_are_true(bench)
