"""kill -9 at every moment of every write, on a first run and over existing outputs.  The processes really die."""

import shutil
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset import index as lasting_index
from relight_assets.dataset.records import read_record
from relight_assets.engine.execution.messages import WorkItem
from relight_assets.engine.publish import write_split_failures, write_split_mapping
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.quality.light_maps import TOLERANCE, difference
from relight_assets.stages.base import Stage
from relight_assets.stages.registry import stage_names
from relight_assets.storage.local import LocalStorage
from relight_assets_tests.conftest import ALL_FILES, assert_records_tell_the_truth, sha256
from relight_assets_tests.faults.invariants import FaultBench, Truth, assert_heals, assert_sound
from relight_assets_tests.faults.seam import MOMENTS, Moment, Point, in_a_child, watched

WRITES = (
    "metadata.json",  # claims only what stays, before a file is touched
    *("input.png", "foreground.png", "background.png", "metadata.json"),
    *("albedo.png", "metadata.json"),
    *("degraded_fg.png", "metadata.json"),
    *("output.png", "metadata.json"),
)
"""What a worker writes for one image, in order."""

# "Before" a metadata.json that is not the first is also the moment between a stage's files and its record.
POINTS = [
    Point(name, moment, WRITES[: place + 1].count(name)) for place, name in enumerate(WRITES) for moment in MOMENTS
]
LAST = Point("metadata.json", "renamed", 5)

GRAY = Recipe()
OTHER = Recipe.model_validate(
    {
        "seed": 9,
        "background": {"gray_color": [10, 20, 30]},
        "masks": {"min_coverage": 0.07},
        "albedo_extraction": {"methods": {"retinex": {"strength": 0.5}}},
    }
)
"""Changes what every stage depends on."""


def process(
    bench: FaultBench, recipe: Recipe, storage: LocalStorage, stages: tuple[Stage, ...] = stage_names()
) -> None:
    worker = ImageWorker(folder=bench.layout.folder, recipe=recipe, max_pixels=10**7, threads=1, storage=storage)
    photo = str(bench.photos / "00.png")
    list(worker.process(iter([WorkItem(0, photo, photo, stages)])))


def one_photo(bench: FaultBench) -> FaultBench:
    bench.write_csv(["00.png"])
    bench.layout.folder.mkdir(parents=True)
    lasting_index.extend(bench.layout, [str(bench.photos / "00.png")])
    return bench


@pytest.fixture
def one(bench: FaultBench) -> FaultBench:
    return one_photo(bench)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, stock: Path, truth: Truth) -> FaultBench:
    bench = one_photo(FaultBench(tmp_path_factory.mktemp("done"), stock, truth=truth))
    in_a_child(lambda storage: process(bench, GRAY, storage))
    return bench


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_on_a_first_run(one: FaultBench, point: Point) -> None:
    assert in_a_child(lambda storage: process(one, GRAY, storage), point)
    assert_sound(one, **{"done" if point == LAST else "pending": 1})
    assert not in_a_child(lambda storage: process(one, GRAY, storage))
    assert_sound(one, done=1)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_over_existing_outputs_and_then_the_recipe_changed_back(
    one: FaultBench, done: FaultBench, point: Point
) -> None:
    for path in done.layout.folder.glob("00000_*"):
        shutil.copy2(path, one.layout.folder)
    assert in_a_child(lambda storage: process(one, OTHER, storage), point)
    assert_sound(one)  # what is called current has the first recipe's bytes ...
    assert one.state(OTHER).row_counts() == {"done" if point == LAST else "pending": 1}
    assert_records_tell_the_truth(one.layout)
    assert not in_a_child(lambda storage: process(one, GRAY, storage))
    assert_sound(one, done=1)  # ... and so has all of it, once that is run again


def test_these_are_all_the_writes_of_an_image(one: FaultBench) -> None:
    seen: list[tuple[str, Moment]] = []

    def work(_: LocalStorage) -> None:
        process(one, GRAY, watched(lambda name, moment: seen.append((name.partition("_")[2], moment))))
        (one.folder / "seen").write_text(repr(seen))

    in_a_child(work)
    # After all of them the thumbnail, which is its number alone; nothing depends on it.
    assert (one.folder / "seen").read_text() == repr([(name, moment) for name in (*WRITES, "") for moment in MOMENTS])


KEPT = Recipe.model_validate({"keep_light": True})
LIGHT = ("light.exr", "normals.png", "skin.png", "visibility.png")
"""What is written beside all others of an image whose light is kept."""


@pytest.mark.parametrize("name", [*LIGHT, "metadata.json"])
def test_while_the_light_of_a_picture_is_kept(one: FaultBench, done: FaultBench, name: str) -> None:
    for path in done.layout.folder.glob("00000_*"):
        shutil.copy2(path, one.layout.folder)
    stages = stage_names(KEPT)
    before = {name: sha256(one.layout.png(0, name)) for name in ALL_FILES}
    nth = 2 if name == "metadata.json" else 1  # the first claims only what stays
    for moment in MOMENTS:  # each finds what the one before it has left
        assert in_a_child(lambda storage: process(one, KEPT, storage, stages), Point(name, moment, nth)), moment
        assert_records_tell_the_truth(one.layout)
        finished = (name, moment) == ("metadata.json", "renamed")
        assert one.state(KEPT).row_counts() == {"done" if finished else "pending": 1}
        assert {name: sha256(one.layout.png(0, name)) for name in ALL_FILES} == before
        assert one.state(GRAY).row_counts() == {"done": 1}  # which does not ask for it
    assert not in_a_child(lambda storage: process(one, KEPT, storage, stages))
    assert one.state(KEPT).row_counts() == {"done": 1}
    record = read_record(one.layout.record(0))
    assert record is not None
    assert difference(record, 0, lambda file: one.layout.artifact(0, file).read_bytes()) <= TOLERANCE


# -- the process of the run ----------------------------------------------------------------------------------

FIRST_RUN = (".lock.json", "origin.json", "index.csv", "recipe.yaml", ".progress.json")
"""What a run writes before its workers start."""
LATER_RUN = (".lock.json", "recipe.yaml", ".progress.json", ".mapping.csv", "relighting_outputs.csv", "failures.csv")
"""What a run writes that finds everything done, and whoever writes the output CSVs after it."""


def whole_run(bench: FaultBench, storage: LocalStorage) -> None:
    state = bench.start(storage=storage).state
    write_split_mapping(state, bench.settings, None)
    write_split_failures(state, bench.settings, None)


@pytest.mark.parametrize("name", FIRST_RUN)
def test_the_run_itself_before_anything_is_computed(bench: FaultBench, name: str) -> None:
    bench.stock_up(2)
    for moment in MOMENTS:  # each finds what the one before it has left
        assert in_a_child(lambda storage: whole_run(bench, storage), Point(name, moment)), moment
        assert_sound(bench, pending=2)
    assert_heals(bench)


def test_the_run_itself_when_everything_is_done(bench: FaultBench) -> None:
    bench.stock_up(2)
    bench.start()
    for name in LATER_RUN:
        for moment in MOMENTS:
            assert in_a_child(lambda storage: whole_run(bench, storage), Point(name, moment)), (name, moment)
            assert_sound(bench, done=2)
    in_a_child(lambda storage: whole_run(bench, storage))
    assert_heals(bench)
