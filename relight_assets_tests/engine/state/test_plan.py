"""What is computed again, and what is not: recipes, sources, files, failures and CSVs that change."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from relight_assets.dataset import paths
from relight_assets.dataset.records import read_failure, read_record
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.stages.registry import stage_names
from relight_assets.storage.files import source_token
from relight_assets_tests.conftest import (
    PORTRAITS,
    Bench,
    assert_records_tell_the_truth,
    computed,
    read_rgb,
    recipe_with,
    sha256,
)

# -- nothing is computed twice -------------------------------------------------------------------------------


def test_a_second_run_computes_nothing_and_touches_nothing(bench: Bench) -> None:
    bench.write_csv([*PORTRAITS, "cat.png", "broken.png", ""])
    bench.run()
    before = {p.name: p.stat().st_mtime_ns for p in bench.layout.folder.iterdir() if p.name[0].isdigit()}
    summary = bench.run()
    assert summary.tally.computed_images == 0
    assert all(summary.tally.outcomes[stage] == {"reused": 4, "failed": 2} for stage in stage_names())
    assert {p.name: p.stat().st_mtime_ns for p in bench.layout.folder.iterdir() if p.name[0].isdigit()} == before


def test_a_new_gray_recomputes_composites_alone(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    summary = bench.run(recipe_with(background={"gray_color": [90, 100, 110]}))
    assert computed(summary) == {"masks": 0, "albedo": 0, "degraded": 0, "composites": 2}
    alpha = read_rgb(bench.layout.png(0, "foreground"))[..., 3]
    assert np.all(read_rgb(bench.layout.png(0, "output"))[alpha == 0] == (90, 100, 110))


def test_the_original_background_is_kept_to_the_byte(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(background={"use_gray": False}))
    alpha = read_rgb(bench.layout.png(0, "foreground"))[..., 3]
    photo, output = read_rgb(bench.layout.png(0, "input")), read_rgb(bench.layout.png(0, "output"))
    assert np.array_equal(output[alpha == 0], photo[alpha == 0])


def test_an_upstream_redo_with_the_same_bytes_stops_there(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    # min_coverage is part of what masks depend on, but this person passes either way.
    summary = bench.run(recipe_with(masks={"min_coverage": 0.06}))
    assert computed(summary) == {"masks": 1, "albedo": 0, "degraded": 0, "composites": 0}


def test_an_appended_row_alone_is_computed(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    bench.write_csv(PORTRAITS[:3])
    summary = bench.run()
    assert summary.tally.computed_images == 1
    assert bench.indices() == [0, 1, 2]


def test_reordering_and_filtering_relabel_nothing(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:3])
    bench.run()
    before = bench.png_hashes()
    bench.write_csv([PORTRAITS[3], PORTRAITS[2], PORTRAITS[0]])
    summary = bench.run()
    after = bench.png_hashes()
    assert summary.tally.computed_images == 1
    assert {name: after[name] for name in before} == before
    assert summary.state.orphans == 1
    outputs = [path.name for path in summary.state.outputs() if path is not None]
    assert outputs == ["00003_output.png", "00002_output.png", "00000_output.png"]


def test_rows_with_one_path_share_one_image(bench: Bench) -> None:
    bench.write_csv([PORTRAITS[0], PORTRAITS[1], PORTRAITS[0]])
    summary = bench.run()
    assert summary.tally.computed_images == 2
    assert summary.state.row_counts() == {"done": 3}
    outputs = list(summary.state.outputs())
    assert outputs[0] == outputs[2]


def test_a_touched_source_is_hashed_again_and_nothing_is_computed(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    shutil.copyfile(bench.photos / PORTRAITS[0], own)
    bench.write_csv([str(own)])
    bench.run()
    os.utime(own, (1, 1))
    assert bench.run().tally.computed_images == 0
    record = read_record(bench.layout.record(0))
    assert record is not None
    assert record.source.token == source_token(own.stat())
    shutil.copyfile(bench.photos / PORTRAITS[1], own)
    assert bench.run().tally.computed_images == 1


@pytest.mark.parametrize("harm", ["delete", "edit"])
def test_a_harmed_file_is_made_again(bench: Bench, harm: str) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    before = bench.png_hashes()
    victim = bench.layout.png(0, "albedo")
    if harm == "delete":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes() + b"x")
    summary = bench.run()
    assert computed(summary) == {"masks": 0, "albedo": 1, "degraded": 0, "composites": 0}
    assert bench.png_hashes() == before


def test_a_bit_flip_that_stat_cannot_see_is_noticed_by_the_stage_that_reads(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    before = bench.png_hashes()
    victim = bench.layout.png(0, "albedo")
    status, data = victim.stat(), bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))
    bench.run(recipe_with(seed=1))
    assert sha256(victim) == before["00000_albedo.png"]
    assert_records_tell_the_truth(bench.layout)


# -- stages, failures, samples -------------------------------------------------------------------------------


def test_a_stage_without_its_upstream_stays_pending(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    summary = bench.run(stages=["albedo", "composites"])
    assert computed(summary) == dict.fromkeys(stage_names(), 0)
    assert summary.tally.codes == {"upstream_stale": 1}
    assert summary.state.row_counts() == {"pending": 1}


def test_a_lasting_failure_is_tried_again_only_on_request_or_change(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    shutil.copyfile(bench.photos / "broken.png", own)
    bench.write_csv([str(own)])
    bench.run()
    failure = bench.layout.failure(0)
    written = failure.stat().st_mtime_ns
    bench.run()
    assert failure.stat().st_mtime_ns == written
    bench.run(retry_failed=True)
    again = read_failure(failure)
    assert again is not None
    assert again.attempts == 2
    shutil.copyfile(bench.photos / PORTRAITS[0], own)
    assert bench.run().state.row_counts() == {"done": 1}
    assert not failure.exists()


def test_a_changed_recipe_tries_a_failure_again(bench: Bench) -> None:
    bench.write_csv(["cat.png"])
    bench.run()
    summary = bench.run(recipe_with(masks={"min_score": 0.5}, photo_qa={"person": "score", "max_undecided": 1}))
    assert summary.state.row_counts() == {"done": 1}
    assert not bench.layout.failure(0).exists()


def test_a_missing_disk_costs_no_outputs(bench: Bench, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.copyfile(bench.photos / PORTRAITS[0], disk / "a.png")
    status = (disk / "a.png").stat()
    bench.write_csv([str(disk / "a.png")])
    bench.run()
    before = bench.png_hashes()
    disk.rename(tmp_path / "away")
    summary = bench.run()
    assert summary.tally.codes == {"source_missing": 1}
    assert list(summary.state.outputs()) == [None]
    (tmp_path / "away").rename(disk)
    os.utime(disk / "a.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    summary = bench.run()
    assert summary.tally.computed_images == 0
    assert bench.png_hashes() == before
    assert not bench.layout.failure(0).exists()


def test_num_samples_takes_the_first_rows(bench: Bench) -> None:
    bench.write_csv(PORTRAITS)
    summary = bench.run(num_samples=2)
    assert summary.tally.computed_images == 2
    assert summary.state.row_counts() == {"done": 2, "pending": 2}


def test_a_failure_downstream_leaves_upstream_and_no_half_set(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    # No light can be as strong as this, so the pair is turned away.
    soft = {"weight": 1, "min_strength": 4}
    others = {"hard_shadow": {"weight": 0}, "specular": {"weight": 0}, "studio": {"weight": 0}}
    summary = bench.run(recipe_with(degradation={"soft_shading": soft, **others}))
    assert summary.tally.codes == {"weak_pair": 1}
    assert summary.state.row_counts() == {"rejected": 1}
    assert {p.name for p in bench.layout.folder.glob("*.png")} == {
        f"00000_{name}.png" for name in ("input", "foreground", "background", "albedo")
    }
    assert_records_tell_the_truth(bench.layout)
    assert bench.run().state.row_counts() == {"done": 1}


def test_a_source_that_does_not_answer_stops_nobody_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write_csv(PORTRAITS[:2])
    lstat, stat = os.lstat, os.stat

    def failing(real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def one(path: Any, **how: Any) -> os.stat_result:
            if os.fspath(path).endswith(PORTRAITS[0]):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            return real(path, **how)

        return one

    monkeypatch.setattr(paths, "os", SimpleNamespace(**{**vars(os), "lstat": failing(lstat), "stat": failing(stat)}))
    summary = bench.run()
    assert summary.tally.codes == {"source_unreadable": 1}
    assert summary.state.row_counts() == {"done": 1, "failed": 1}
    monkeypatch.undo()
    assert bench.run().state.row_counts() == {"done": 2}


def test_a_source_that_goes_between_scan_and_work_stops_nobody_else(bench: Bench) -> None:
    bench.write_csv([str(bench.folder / "goes.png"), PORTRAITS[1]])
    shutil.copy(bench.photos / PORTRAITS[0], bench.folder / "goes.png")
    summary = bench.run(worker=LosesASource)
    assert summary.tally.codes == {"source_missing": 1}
    assert summary.state.row_counts() == {"done": 1, "failed": 1}
    assert bench.state().row_counts() == {"done": 1, "failed": 1}


class LosesASource(ImageWorker):
    """The worker as it is, from under which one photo is taken."""

    def process(self, items: Iterable[Any]) -> Iterator[Any]:
        def without() -> Iterator[Any]:
            for item in items:
                if item.file.endswith("goes.png"):
                    Path(item.file).unlink()
                yield item

        return super().process(without())
