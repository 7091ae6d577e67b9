"""Where the rows of a split stand, and what is counted of them; nothing is computed for it, and nothing written."""

import os
import shutil
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.tombstones import add_tombstones
from relight_assets.engine.state.load import digests_of
from relight_assets.engine.state.plan import make_plan
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, recipe_with


@pytest.fixture
def split(finished: Bench, tmp_path: Path) -> Bench:
    """The images of the split that was run, under a CSV of the test's own."""
    made = Bench(tmp_path, finished.photos)
    shutil.copytree(finished.layout.folder, made.layout.folder)  # with the times of its files
    (made.layout.folder / "origin.json").unlink()
    made.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    return made


def test_every_row_has_one_status(split: Bench) -> None:
    state = split.state()
    statuses = [state.row_status(row) for row in range(len(state.keys))]
    assert statuses == ["done"] * 4 + ["failed"] * 2 + ["rejected"]
    assert state.row_counts() == {"done": 4, "failed": 2, "rejected": 1}
    assert state.keys[-1] is None
    assert state.unchecked_rows == state.orphans == 0


def test_a_done_row_has_its_composite_and_no_other_row_has_one(split: Bench) -> None:
    outputs = list(split.state().outputs())
    assert outputs[:4] == [split.layout.png(index, "output") for index in range(4)]
    assert outputs[4:] == [None] * 3


def test_rows_of_one_photo_share_an_image_and_count_each(split: Bench) -> None:
    split.write_csv([PORTRAITS[1], "", PORTRAITS[1], PORTRAITS[0]])
    state = split.state()
    assert state.keys[0] == state.keys[2]
    assert len(state.images) == 2
    assert state.row_counts() == {"done": 3, "rejected": 1}
    first, second = split.layout.png(1, "output"), split.layout.png(0, "output")
    assert list(state.outputs()) == [first, None, first, second]


def test_numbers_whose_rows_are_gone_are_counted_while_something_lies_there(split: Bench) -> None:
    split.write_csv(PORTRAITS[:1])
    assert split.state().orphans == 5  # three portraits and two failures
    split.layout.failure(4).unlink()
    assert split.state().orphans == 4


def test_under_another_recipe_what_depends_on_it_is_pending(split: Bench) -> None:
    other = split.state(recipe_with(background={"gray_color": [1, 2, 3]}))
    assert other.row_counts() == {"pending": 4, "failed": 2, "rejected": 1}
    assert list(other.outputs()) == [None] * 7
    kept = [image.current for image in other.images.values() if image.status == "pending"]
    assert kept == [("masks", "albedo", "degraded")] * 4


def test_several_lights_are_all_there_or_none(split: Bench) -> None:
    assert list(split.state().variant_outputs())[:4] == [[split.layout.png(index, "output")] for index in range(4)]
    assert list(split.state(recipe_with(variants=2)).variant_outputs()) == [[]] * 7


def test_a_file_with_another_time_waits_until_it_is_hashed(split: Bench) -> None:
    path = split.layout.png(2, "albedo")
    os.utime(path, ns=(1, 1))
    state = split.state()
    assert (state.unchecked_rows, state.row_status(2)) == (1, "pending")
    assert list(state.outputs())[2] is None
    assert state.row_counts()["done"] == 3


def test_an_empty_folder_has_nothing_and_a_scan_makes_nothing(finished: Bench, tmp_path: Path) -> None:
    bench = Bench(tmp_path, finished.photos)
    bench.write_csv([*PORTRAITS[:2], ""])
    state = bench.state(Recipe())
    assert state.row_counts() == {"pending": 2, "rejected": 1}
    assert all(image.index is None for image in state.images.values())
    assert not bench.settings.output_root.exists()


def test_a_photo_that_was_forgotten_is_rejected_whatever_was_made_of_it(split: Bench) -> None:
    record, failed = split.recorded()[0].record, split.state().images[str(split.photos / "cat.png")].failure
    assert failed is not None
    assert failed.source is not None
    add_tombstones(split.settings.output_root, {record.source.sha256: "", failed.source.sha256: ""})
    state = split.state()
    assert state.row_counts() == {"done": 3, "rejected": 3, "failed": 1}
    codes = [state.images[key].failure.code for key in state.keys if key and state.images[key].failure]  # type: ignore[union-attr]
    assert codes == ["forgotten", "forgotten", "image_corrupt"]
    assert next(state.outputs()) is None
    plan = make_plan(state, digests_of(Recipe(), split.settings), stage_names())
    assert (plan.work, plan.settled.codes) == ([], {"forgotten": 2, "image_corrupt": 1})
