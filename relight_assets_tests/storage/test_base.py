"""The storage is the one seam: a split that lies in memory is run, verified, replayed, shown and pruned there."""

import pytest

from relight_assets.config.engines import ENGINES
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.hashing import sha256_hex
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.engine.experiments import experiment_recipe
from relight_assets.engine.hash_files import stamp_of
from relight_assets.engine.progress import read_progress
from relight_assets.engine.prune import find_orphans, prune
from relight_assets.engine.publish import mapping_is_current, write_split_failures, write_split_mapping
from relight_assets.engine.replay import replay
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.engine.state.load import load_split_state
from relight_assets.errors import UserError
from relight_assets.quality.verify.split import Verification, verify_split
from relight_assets.reports.contact_sheets import comparison_sheet, contact_sheet
from relight_assets.stages.registry import stage_names
from relight_assets.storage.base import Storage
from relight_assets_tests.conftest import PORTRAITS, Bench, computed, recipe_with
from relight_assets_tests.engine.execution.threads_engine import THREADS_ENGINE
from relight_assets_tests.storage.memory import MemoryStorage


class InMemory:
    """A split whose files lie in memory: photos and CSV alone are on the disk."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.storage = bench, MemoryStorage()
        self.settings = bench.settings.model_copy(update={"engine": "threads"})

    @property
    def layout(self) -> SplitLayout:
        return SplitLayout(self.bench.layout.folder, self.storage)

    def run(self, recipe: Recipe | None = None, experiment: str | None = None) -> RunSummary:
        options = RunOptions(storage=self.storage, experiment=experiment)
        summary = run_split(self.bench.split(), recipe or Recipe(), self.settings, options)
        write_split_mapping(summary.state, self.settings, experiment)
        write_split_failures(summary.state, self.settings, experiment)
        return summary

    def verified(self) -> Verification:
        return verify_split(self.bench.split(), Recipe(), self.settings, storage=self.storage)


@pytest.fixture
def split(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> InMemory:
    monkeypatch.setitem(ENGINES, "threads", THREADS_ENGINE)  # whose workers are in this process
    bench.write_csv(PORTRAITS[:2])
    return InMemory(bench)


def test_a_split_in_memory_leaves_nothing_on_the_disk(split: InMemory) -> None:
    before = set(split.bench.folder.rglob("*"))
    assert computed(split.run()) == dict.fromkeys(stage_names(), 2)
    assert computed(split.run()) == dict.fromkeys(stage_names(), 0)
    state = load_split_state(split.bench.split(), Recipe(), split.settings, storage=split.storage)
    assert mapping_is_current(state, split.settings)
    assert split.verified().faults == []
    made = replay(split.layout.record(0), storage=split.storage)
    assert [each.same for each in made] == [True, True, True]
    progress = read_progress(split.layout.progress, split.storage)
    assert progress is not None
    assert progress.finished
    split.run(recipe_with(seed=7), experiment="x")
    assert experiment_recipe("train", split.settings, "x", split.storage).recipe.seed == 7
    experiment = SplitLayout(split_folder(split.settings.output_root, "train", "x"), split.storage)
    nothing = SplitLayout(split.layout.folder)
    assert contact_sheet(split.layout, [0, 1]) != contact_sheet(nothing, [0, 1])
    assert comparison_sheet(split.layout, experiment, [(0, 0)]) != comparison_sheet(nothing, experiment, [(0, 0)])
    split.bench.write_csv(PORTRAITS[:1])
    assert find_orphans(split.bench.split(), Recipe(), split.settings, storage=split.storage).numbers == (1,)
    assert prune(split.bench.split(), Recipe(), split.settings, storage=split.storage).size > 0
    assert split.layout.numbers() == {0}
    assert set(split.bench.folder.rglob("*")) == before
    assert split.storage.calls == {name for name in vars(Storage) if not name.startswith("_")} - {"put_stamped"}


def test_what_is_wrong_in_memory_is_found_there(split: InMemory) -> None:
    split.run()
    albedo, output = split.layout.png(0, "albedo"), split.layout.png(1, "output")
    data = bytearray(split.storage.files[albedo][0])
    data[-1] ^= 1
    split.storage.files[albedo] = bytes(data), split.storage.files[albedo][1]  # under its old size and token
    split.storage.remove(output)
    found = {(fault.code, fault.file) for fault in split.verified().faults}
    assert found >= {("altered", albedo), ("missing", output)}
    foreground = split.layout.png(0, "foreground")
    stamp = stamp_of(foreground, image_root=None, layouts=[split.layout])
    assert stamp is not None
    assert (stamp.sha256, stamp.token) == (
        sha256_hex(split.storage.files[foreground][0]),
        split.storage.files[foreground][1],
    )
    split.storage.remove(foreground)
    assert stamp_of(foreground, image_root=None, layouts=[split.layout]) is None
    with pytest.raises(UserError, match=f"{foreground} cannot be read: No such file or directory"):
        replay(split.layout.record(0), storage=split.storage)
    with pytest.raises(UserError, match="is not there"):
        replay(split.layout.record(7), storage=split.storage)
