"""The state of a split: results of a run stand in it as a new scan would find them, and it keeps little of a row."""

import gc
import multiprocessing
import tracemalloc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record, write_record
from relight_assets.engine.run import RunSummary
from relight_assets.engine.state.load import digests_of, load_split_state
from relight_assets.engine.state.plan import make_plan
from relight_assets.stages.registry import stage_names
from relight_assets.storage.files import source_token
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with
from relight_assets_tests.faults.faulty import FaultyWorker

pytestmark = pytest.mark.usefixtures("worker_processes")

ROWS = 2000


def assert_as_scanned(summary: RunSummary, bench: Bench, recipe: Recipe | None = None) -> None:
    """What the results made of the state is what a scan finds now."""
    scanned = bench.state(recipe)
    reported, found = (
        {
            key: (image.index, image.current, image.status, image.failure, image.unchecked)
            for key, image in state.images.items()
        }
        for state in (summary.state, scanned)
    )
    assert reported == found
    assert summary.state.row_counts() == scanned.row_counts()
    assert list(summary.state.outputs()) == list(scanned.outputs())
    assert summary.state.index == scanned.index


def test_results_stand_in_the_state_as_a_scan_finds_them(bench: Bench) -> None:
    bench.write_csv([*PORTRAITS[:2], "cat.png", "broken.png", "", "gone.png", PORTRAITS[0]])
    assert_as_scanned(bench.run(), bench)
    gray = recipe_with(background={"gray_color": [9, 9, 9]})
    assert_as_scanned(bench.run(gray, stages=["masks"]), bench, gray)  # composites wait
    assert_as_scanned(bench.run(gray), bench, gray)
    bench.layout.png(0, "albedo").unlink()
    bench.layout.png(1, "output").write_bytes(b"damaged")
    assert_as_scanned(bench.run(gray, stages=["albedo"]), bench, gray)
    assert_as_scanned(bench.run(gray, retry_failed=True), bench, gray)


def test_an_image_that_killed_its_workers_stands_there_as_failed(bench: Bench, tmp_path: Path) -> None:
    killer = tmp_path / "00-segfault.png"
    killer.write_bytes((bench.photos / PORTRAITS[0]).read_bytes())
    bench.write_csv([str(killer), PORTRAITS[1]])
    summary = bench.run(worker=FaultyWorker)
    assert summary.state.row_counts() == {"failed": 1, "done": 1}
    assert_as_scanned(summary, bench)


@pytest.fixture
def many(finished: Bench, tmp_path: Path) -> tuple[Path, Path]:
    """A CSV of finished rows and its outputs: hard links of one finished portrait, and a record each."""
    record = read_record(finished.layout.record(0))
    assert record is not None
    after = SplitLayout(tmp_path / "out" / "data-many")
    after.folder.mkdir(parents=True)
    names = [f"{number:05d}.png" for number in range(ROWS)]
    images = [name for entry in record.stages.values() for name in entry.files]
    photo = tmp_path / "one.png"
    photo.write_bytes((finished.photos / PORTRAITS[0]).read_bytes())  # a link would change the ctime of the tests' own
    for number, name in enumerate(names):
        (tmp_path / name).hardlink_to(photo)
        for image in images:
            after.png(number, image).hardlink_to(finished.layout.png(0, image))
    for number, name in enumerate(names):
        place = tmp_path / name
        source = with_fields(record.source, token=source_token(place.stat()), place=str(place))
        write_record(after, with_fields(record, index=number, image_path=name, source=source), durable=False)
    (tmp_path / "many_images.csv").write_text("\n".join(["image_path", *names, ""]), encoding="utf-8")
    return tmp_path / "many_images.csv", tmp_path / "out"


def traced(csv: Path, settings: Settings) -> tuple[int, Counter[str], int]:
    """Bytes that scan and plan of a finished split hold, the rows by status, and the images that are reused."""
    split, recipe = read_split_csv(csv), Recipe()
    digests = digests_of(recipe, settings)
    load_split_state(split, recipe, settings)  # what is made once is no row's
    gc.collect()
    tracemalloc.start()
    state = load_split_state(split, recipe, settings)
    plan = make_plan(state, digests, stage_names())
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    assert plan.work == []
    return taken, Counter(state.row_counts()), plan.settled.outcomes["masks"]["reused"]


def test_a_finished_row_takes_less_than_a_kilobyte(many: tuple[Path, Path], finished: Bench) -> None:
    """In a process of its own, in which no thread of another test takes memory meanwhile."""
    csv, outputs = many
    settings = finished.settings.model_copy(update={"csv_dir": csv.parent, "output_root": outputs})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        taken, rows, reused = pool.submit(traced, csv, settings).result()
    assert rows == {"done": ROWS}
    assert reused == ROWS
    assert taken / ROWS < 1000


def test_rows_that_a_run_was_not_asked_for_stay_as_they_were_scanned(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    summary = bench.run(num_samples=1)
    assert [image.status for image in summary.state.images.values()] == ["done", "pending"]
    assert_as_scanned(summary, bench)
