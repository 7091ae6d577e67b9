"""A mapping takes the place of the one before once its checks have passed, while nobody writes in the folder."""

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.executor.child_process_executor import ChildProcessCommand, execute_child_process_command

from relight_assets.config.recipe.loaded import LoadedRecipe
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.folder_locks import locked_folder
from relight_assets.defs.publishing import locked_state, publish
from relight_assets.engine.publish import StagedMapping, failures_path, mapping_path
from relight_assets.errors import CsvError, OtherPhotosError, OutputFolderError
from relight_assets_tests.conftest import PORTRAITS, Bench

GRAY = LoadedRecipe(Recipe(), ())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Bench:
    made = Bench(tmp_path_factory.mktemp("published"), photos)
    made.write_csv([*PORTRAITS[:3], "cat.png"])
    made.run()
    return made


@pytest.fixture
def published(done: Bench) -> Path:
    """The mapping, of everything that is done."""
    assert publish(done.split(), GRAY, done.settings, failures=True).done
    return mapping_path(done.state(), done.settings)


def result(severity: dg.AssetCheckSeverity) -> list[dg.AssetCheckResult]:
    return [dg.AssetCheckResult(check_name="a_check", passed=False, severity=severity)]


def fails(_: StagedMapping) -> Sequence[dg.AssetCheckResult]:
    return result(dg.AssetCheckSeverity.ERROR)


def warns(_: StagedMapping) -> Sequence[dg.AssetCheckResult]:
    return result(dg.AssetCheckSeverity.WARN)


def test_it_is_published_with_the_failed_rows_and_the_staged_one_goes(done: Bench, published: Path) -> None:
    assert published.read_text().count("_output.png") == 3
    assert failures_path(done.state(), done.settings).read_text().count("no_person") == 1
    assert not done.layout.staged_mapping.exists()
    published.unlink()
    assert publish(done.split(), GRAY, done.settings, check=warns).done
    assert published.exists()


def test_a_failed_blocking_check_leaves_the_one_before_without_what_is_gone(done: Bench, published: Path) -> None:
    before = published.read_text()
    output = done.layout.png(1, "output")
    hidden = output.rename(output.with_name("hidden"))
    try:
        found = publish(done.split(), GRAY, done.settings, check=fails)
    finally:
        hidden.rename(output)
    assert (found.done, found.failed) == (False, ["a_check"])
    assert published.read_text() == before.replace(str(output), "")
    assert not done.layout.staged_mapping.exists()


def test_a_check_that_ends_in_an_error_leaves_the_one_before(done: Bench, published: Path) -> None:
    before = published.read_bytes()

    def broken(_: StagedMapping) -> Sequence[dg.AssetCheckResult]:
        raise OutputFolderError("the disk is gone")

    with pytest.raises(OutputFolderError, match="disk is gone"):
        publish(done.split(), GRAY, done.settings, check=broken)
    assert published.read_bytes() == before
    assert not done.layout.staged_mapping.exists()


def test_a_folder_in_which_somebody_writes_is_refused_in_one_sentence(done: Bench, published: Path) -> None:
    before = published.read_bytes()
    with (
        done.layout.storage.lock(done.layout.lock),
        pytest.raises(OutputFolderError, match=f"is being written by process {os.getpid()} on .*; wait for it"),
    ):
        publish(done.split(), GRAY, done.settings, failures=True)
    assert published.read_bytes() == before


def test_a_csv_of_other_photos_is_refused(done: Bench, published: Path, tmp_path: Path) -> None:
    before = published.read_bytes()
    other = tmp_path / done.csv_path.name
    other.write_text("".join(done.csv_path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(OtherPhotosError, match="belongs to"):
        publish(read_split_csv(other), GRAY, done.settings, failures=True)
    assert published.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [other.name]
    assert not done.layout.staged_mapping.exists()


def test_a_mapping_that_cannot_be_put_in_its_place_is_a_sentence(done: Bench, published: Path) -> None:
    settings = done.settings.model_copy(update={"mapping_dir": published})
    with pytest.raises(CsvError, match="check mapping_dir"):
        publish(done.split(), GRAY, settings)
    assert not done.layout.staged_mapping.exists()


def test_what_a_run_knew_is_taken_while_it_holds_and_no_longer(tmp_path: Path, photos: Path) -> None:
    own = Path(shutil.copytree(photos, tmp_path / "photos"))
    bench = Bench(tmp_path, own)
    bench.write_csv(PORTRAITS[:3])
    known = bench.run().state
    assert publish(bench.split(), GRAY, bench.settings, known=known).state is known
    os.utime(own / PORTRAITS[1], ns=(1, 1))
    touched = publish(bench.split(), GRAY, bench.settings, known=known)
    assert touched.state is not known
    assert touched.state.unchecked_rows == 1  # the same bytes, which nobody has read since
    (own / PORTRAITS[1]).write_bytes((own / PORTRAITS[2]).read_bytes())
    edited = publish(bench.split(), GRAY, bench.settings, known=known)
    assert [path is not None for path in edited.state.outputs()] == [True, False, True]
    known = bench.run().state
    assert bench.run().tally.computed_images == 0
    assert publish(bench.split(), GRAY, bench.settings, known=known).state is not known  # another run has been there


class Look(ChildProcessCommand):
    """What a step's process does: it takes the state of the split while nobody writes in its folder."""

    def __init__(self, done: Bench, begun: Path):
        self.split, self.settings, self.begun = done.split(), done.settings, begun

    def execute(self) -> Iterator[Any]:
        self.begun.touch()
        with locked_state(self.split, Recipe(), self.settings) as state:
            yield {"rows": dict(state.row_counts())}


@pytest.mark.processes
def test_a_step_waits_for_the_lock_of_the_step_beside_it(done: Bench, tmp_path: Path, light_workers: None) -> None:
    """As `mapping_csv` and `dead_letters` are under an executor of processes; a run by itself is refused at once."""
    begun = tmp_path / "begun"
    told = []
    looks = threading.Thread(
        target=lambda: told.extend(
            execute_child_process_command(multiprocessing.get_context("spawn"), Look(done, begun))
        )
    )
    with locked_folder(done.layout):
        with (
            pytest.raises(OutputFolderError, match="is being written by"),
            locked_state(done.split(), Recipe(), done.settings),
        ):
            pass
        looks.start()
        while not begun.exists():
            assert looks.is_alive()
            time.sleep(0.05)
        time.sleep(0.5)  # it has met the lock
        assert not [event for event in told if isinstance(event, dict)]
    looks.join(60)
    assert [event for event in told if isinstance(event, dict)] == [{"rows": {"done": 3, "failed": 1}}]
