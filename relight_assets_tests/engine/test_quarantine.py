"""What is recorded of an image that killed its workers: at which stage, how often, and what was current before."""

import shutil
from pathlib import Path

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.dataset.record_types import Failure
from relight_assets.dataset.records import read_failure, read_record
from relight_assets.engine.execution.dispatch import Quarantined
from relight_assets.engine.execution.messages import ImageResult, WorkItem
from relight_assets.engine.quarantine import quarantine
from relight_assets.engine.state.digests import Digests
from relight_assets.engine.state.load import digests_of
from relight_assets.stages.registry import stage_names
from relight_assets.storage.files import stamp_source
from relight_assets_tests.conftest import PORTRAITS, Bench, sha256

REASON = "killed by signal 9"


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Bench:
    """One photo whose masks and albedo are current; to be copied, not to be changed."""
    made = Bench(tmp_path_factory.mktemp("half_done"), photos)
    made.write_csv(PORTRAITS[:1])
    made.run(stages=["masks", "albedo"])
    return made


@pytest.fixture
def split(half_done: Bench, tmp_path: Path) -> Bench:
    """Its output folder, copied."""
    made = Bench(tmp_path, half_done.photos)
    shutil.copytree(half_done.layout.folder, made.layout.folder)
    return made


def digests(bench: Bench) -> Digests:
    return digests_of(Recipe(), bench.settings)


def killed(bench: Bench, file: Path, index: int = 0) -> Quarantined:
    return Quarantined(WorkItem(index, str(file), str(file), stage_names()), REASON)


def set_aside(bench: Bench, file: Path, index: int = 0) -> tuple[ImageResult, Failure]:
    result = quarantine(bench.layout, digests(bench), killed(bench, file, index))
    failure = read_failure(bench.layout.failure(index))
    assert failure is not None
    return result, failure


def test_it_failed_at_the_first_stage_that_was_not_current(split: Bench) -> None:
    photo = split.photos / PORTRAITS[0]
    before, images = split.layout.record(0).read_bytes(), split.png_hashes()
    result, failure = set_aside(split, photo)
    assert result.outcomes == {"masks": "reused", "albedo": "reused", "degraded": "failed", "composites": "failed"}
    assert (result.index, result.code) == (0, "worker_killer")
    assert result.message == failure.message
    assert failure.message == f"{photo}: its worker died twice while it was processed alone: {REASON}"
    assert (failure.stage, failure.code, failure.attempts) == ("degraded", "worker_killer", 1)
    assert not failure.rejected
    assert failure.source == stamp_source(photo)
    assert failure.source.sha256 == sha256(photo)
    assert split.layout.record(0).read_bytes() == before
    assert split.png_hashes() == images


def test_its_digest_is_that_of_the_stage_that_was_tried(split: Bench) -> None:
    photo = split.photos / PORTRAITS[0]
    _, failure = set_aside(split, photo)
    record = read_record(split.layout.record(0))
    assert record is not None
    assert failure.digest == digests(split).tried("degraded", sha256(photo), record, ("masks", "albedo"), {})


def test_attempts_count_on_while_nothing_has_changed(split: Bench) -> None:
    photo = split.photos / PORTRAITS[0]
    assert [set_aside(split, photo)[1].attempts for _ in range(3)] == [1, 2, 3]
    split.layout.png(0, "foreground").write_bytes(b"of something else")  # so that masks are not current
    _, failure = set_aside(split, photo)
    assert (failure.stage, failure.attempts) == ("masks", 1)


def test_without_a_record_it_failed_at_the_first_stage(split: Bench) -> None:
    result, failure = set_aside(split, split.photos / PORTRAITS[1], index=7)
    assert set(result.outcomes.values()) == {"failed"}
    assert (failure.index, failure.stage) == (7, "masks")
    assert failure.digest is not None


def test_a_photo_that_is_gone_leaves_neither_stamp_nor_digest(split: Bench, tmp_path: Path) -> None:
    gone = tmp_path / "gone.png"
    result, failure = set_aside(split, gone)
    assert set(result.outcomes.values()) == {"failed"}
    assert (failure.stage, failure.source, failure.digest) == ("masks", None, None)


def test_a_folder_in_the_place_of_the_failure_costs_the_failure_alone(split: Bench) -> None:
    (split.layout.failure(0) / "something").mkdir(parents=True)
    result = quarantine(split.layout, digests(split), killed(split, split.photos / PORTRAITS[0]))
    assert result.code == "worker_killer"
    assert (split.layout.failure(0) / "something").is_dir()
