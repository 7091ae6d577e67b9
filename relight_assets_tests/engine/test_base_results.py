"""What an experiment takes over from its split, and that neither side can change the other's files."""

import errno
import shutil
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.index import load
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.records import read_record
from relight_assets.engine.state.load import load_split_state
from relight_assets_tests.conftest import (
    PORTRAITS,
    Bench,
    assert_records_tell_the_truth,
    computed,
    recipe_with,
    sha256,
)
from relight_assets_tests.faults.one_file import put

RELIT = recipe_with(seed=7)
NAMES = ("input", "foreground", "background", "albedo")


@pytest.fixture
def ran(bench: Bench) -> Bench:
    """Two portraits that were run, of which the second came first in an older CSV."""
    bench.write_csv([PORTRAITS[1]])
    bench.run()
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    return bench


@pytest.fixture
def experiment(ran: Bench) -> SplitLayout:
    return SplitLayout(split_folder(ran.settings.output_root, "train", "other"))


def test_the_light_alone_is_computed_and_the_numbers_are_the_split_s(ran: Bench, experiment: SplitLayout) -> None:
    summary = ran.run(RELIT, experiment="other")
    assert computed(summary) == {"masks": 0, "albedo": 0, "degraded": 2, "composites": 2}
    assert summary.state.row_counts() == {"done": 2}
    for number in (0, 1):
        for name in NAMES:
            assert experiment.png(number, name).samefile(ran.layout.png(number, name))
        assert sha256(experiment.png(number, "output")) != sha256(ran.layout.png(number, "output"))
    assert experiment.index_csv.read_bytes() == ran.layout.index_csv.read_bytes()
    assert_records_tell_the_truth(experiment)


def test_the_same_bytes_come_out_as_without_reuse(ran: Bench, experiment: SplitLayout, tmp_path: Path) -> None:
    ran.run(RELIT, experiment="other")
    reused = {path.name: sha256(path) for path in experiment.folder.glob("*.png")}
    alone = Bench(tmp_path / "alone", ran.photos)
    alone.folder.mkdir()
    alone.write_csv([PORTRAITS[1]])
    alone.run(RELIT)
    alone.write_csv(PORTRAITS[:2])
    alone.run(RELIT)
    assert reused == alone.png_hashes()


def test_another_gray_reuses_the_light_too(ran: Bench, experiment: SplitLayout) -> None:
    summary = ran.run(recipe_with(background={"gray_color": [10, 20, 30]}), experiment="other")
    assert computed(summary) == {"masks": 0, "albedo": 0, "degraded": 0, "composites": 2}
    record, own = read_record(experiment.record(0)), read_record(ran.layout.record(0))
    assert record is not None
    assert own is not None
    assert record.light_direction == own.light_direction is not None


def test_what_the_recipe_makes_otherwise_stays_behind(ran: Bench, experiment: SplitLayout) -> None:
    summary = ran.run(recipe_with(background={"blend": "linear"}), experiment="other")
    assert computed(summary)["masks"] == 2
    assert not experiment.png(0, "foreground").samefile(ran.layout.png(0, "foreground"))


def test_a_run_of_the_split_leaves_the_experiment_as_it_is(ran: Bench, experiment: SplitLayout) -> None:
    ran.run(RELIT, experiment="other")
    before = {path.name: sha256(path) for path in experiment.folder.glob("*.png")}
    ran.run(recipe_with(background={"blend": "linear"}))
    assert {path.name: sha256(path) for path in experiment.folder.glob("*.png")} == before
    assert load_split_state(ran.split(), RELIT, ran.settings, "other").row_counts() == {"done": 2}


def test_only_so_many_rows_are_reused_and_later_ones_later(ran: Bench, experiment: SplitLayout) -> None:
    ran.run(RELIT, experiment="other", num_samples=1)
    assert experiment.numbers("metadata.json") == {1}  # the first row has the later number
    assert computed(ran.run(RELIT, experiment="other")) == {"masks": 0, "albedo": 0, "degraded": 1, "composites": 1}


def test_without_links_files_are_copied_with_their_times(
    ran: Bench, experiment: SplitLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert computed(ran.run(RELIT, experiment="other"))["masks"] == 0
    assert not experiment.png(0, "input").samefile(ran.layout.png(0, "input"))
    assert experiment.png(0, "input").stat().st_mtime_ns == ran.layout.png(0, "input").stat().st_mtime_ns


def test_a_split_that_was_never_run_has_nothing_to_give(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    assert computed(bench.run(RELIT, experiment="other"))["masks"] == 1
    assert not bench.layout.folder.exists()


def test_an_unreadable_record_of_the_split_is_passed_over(ran: Bench) -> None:
    ran.layout.record(0).unlink()
    ran.layout.record(0).mkdir()
    assert computed(ran.run(RELIT, experiment="other")) == {"masks": 1, "albedo": 1, "degraded": 2, "composites": 2}


def test_the_default_recipe_as_an_experiment_computes_nothing(ran: Bench) -> None:
    assert set(computed(ran.run(Recipe(), experiment="same")).values()) == {0}


def test_photos_that_come_later_have_the_split_s_numbers_too(ran: Bench, experiment: SplitLayout) -> None:
    ran.run(RELIT, experiment="other")
    for names in ((*PORTRAITS[:2], PORTRAITS[3]), (*PORTRAITS, "cat.png")):
        ran.write_csv(names)
        ran.run()
    assert computed(ran.run(RELIT, experiment="other")) == {"masks": 0, "albedo": 0, "degraded": 2, "composites": 2}
    assert load(experiment) == load(ran.layout)


def test_masks_that_the_split_has_made_anew_are_reused_again(ran: Bench, experiment: SplitLayout) -> None:
    ran.run(RELIT, experiment="other")
    ran.run(recipe_with(background={"blend": "linear"}))
    both = recipe_with(background={"blend": "linear"}, seed=7)
    assert computed(ran.run(both, experiment="other")) == {"masks": 0, "albedo": 0, "degraded": 2, "composites": 2}
    assert experiment.png(0, "foreground").samefile(ran.layout.png(0, "foreground"))
    assert_records_tell_the_truth(experiment)
    assert_records_tell_the_truth(ran.layout)


def test_an_experiment_that_lost_its_index_keeps_its_own_numbers(bench: Bench) -> None:
    bench.write_csv([PORTRAITS[1], PORTRAITS[0]])
    bench.run(RELIT, experiment="other")
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    experiment = SplitLayout(split_folder(bench.settings.output_root, "train", "other"))
    numbers = load(experiment)
    experiment.index_csv.unlink()
    assert set(computed(bench.run(RELIT, experiment="other")).values()) == {0}
    assert load(experiment) == numbers


def test_what_cannot_be_reused_is_made_by_the_experiment_itself(ran: Bench, experiment: SplitLayout) -> None:
    """A place that is taken costs its image; one that is not empty is reported when the run comes to it."""
    ran.run(RELIT, experiment="other")
    ran.layout.record(0).write_bytes(ran.layout.record(0).read_bytes())
    for number in (0, 1):
        experiment.record(number).unlink()
    put("a folder", experiment.png(0, "input"))
    put("a folder that is not empty", experiment.png(1, "albedo"))
    summary = ran.run(RELIT, experiment="other")
    assert summary.state.row_counts() == {"done": 1, "failed": 1}
    assert summary.tally.codes == {"output_blocked": 1}
    shutil.rmtree(experiment.png(1, "albedo"))
    assert ran.run(RELIT, experiment="other").state.row_counts() == {"done": 2}
    assert_records_tell_the_truth(experiment)
