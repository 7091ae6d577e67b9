"""The contracts of a split's folder, on real portraits through real worker processes."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from filelock import FileLock

from relight_assets.dataset.records import read_failure
from relight_assets.engine.execution.messages import ImageResult, Shrunk, WorkItem
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import ConfigError, ModelFileError, OutputFolderError
from relight_assets.imaging.png import encode_png
from relight_assets.stages.albedo import albedo
from relight_assets.stages.registry import stage_names
from relight_assets.storage import files
from relight_assets_tests.conftest import (
    ALL_FILES,
    PORTRAITS,
    Bench,
    computed,
    read_rgb,
    recipe_with,
    sha256,
)

pytestmark = pytest.mark.usefixtures("worker_processes")

# -- what comes out ------------------------------------------------------------------------------------------


def test_each_portrait_has_its_seven_files_and_no_more(finished: Bench) -> None:
    names = {path.name for path in finished.layout.folder.iterdir() if path.name[0].isdigit()}
    wanted = {f"{index:05d}_{name}.png" for index in range(4) for name in ALL_FILES}
    wanted |= {f"{index:05d}_metadata.json" for index in range(4)}
    wanted |= {"00004_failure.json", "00005_failure.json"}
    assert names == wanted


def test_gray_is_exactly_the_gray_wherever_alpha_is_0(finished: Bench) -> None:
    for index in range(4):
        alpha = read_rgb(finished.layout.png(index, "foreground"))[..., 3]
        output = read_rgb(finished.layout.png(index, "output"))
        assert (alpha == 0).mean() > 0.05
        assert np.all(output[alpha == 0] == 128)
        assert not np.all(output[alpha == 255] == 128)


def test_foreground_over_background_is_the_photo(finished: Bench) -> None:
    for index in range(4):
        photo = read_rgb(finished.layout.png(index, "input")).astype(float)
        front = read_rgb(finished.layout.png(index, "foreground")).astype(float)
        behind = read_rgb(finished.layout.png(index, "background")).astype(float)
        alpha = front[..., 3:] / 255
        assert np.all(front[..., 3] + behind[..., 3] == 255)
        back = front[..., :3] * alpha + behind[..., :3] * (1 - alpha)
        assert np.abs(back - photo).max() <= 2
        solid = (front[..., 3] == 0) | (front[..., 3] == 255)
        assert np.array_equal(back[solid], photo[solid])


def test_layers_share_one_alpha_and_are_black_where_it_is_0(finished: Bench) -> None:
    for index in range(4):
        front = read_rgb(finished.layout.png(index, "foreground"))
        degraded = read_rgb(finished.layout.png(index, "degraded_fg"))
        albedo = read_rgb(finished.layout.png(index, "albedo"))
        assert np.array_equal(front[..., 3], degraded[..., 3])
        outside = front[..., 3] == 0
        assert not front[outside, :3].any()
        assert not degraded[outside, :3].any()
        assert not albedo[outside].any()


def test_the_input_file_is_the_source_where_that_is_a_plain_png(finished: Bench) -> None:
    source = finished.photos / PORTRAITS[0]
    assert np.array_equal(read_rgb(finished.layout.png(0, "input")), read_rgb(source))


def test_the_record_holds_everything_that_was_drawn(finished: Bench) -> None:
    data = json.loads(finished.layout.record(0).read_text())
    assert data["source"]["sha256"] == sha256(finished.photos / PORTRAITS[0])
    assert list(data["stages"]) == list(stage_names())
    assert data["degradation_type"] in ("soft_shading", "hard_shadow", "specular", "studio")
    assert np.linalg.norm(data["light_direction"]) == pytest.approx(1, abs=1e-6)
    assert data["stages"]["masks"]["numbers"]["score"] >= 0.96
    assert data["stages"]["degraded"]["numbers"]["strength"] > 0
    assert set(data["timings_ms"]) >= {"decode", *stage_names(), "encode"}


def test_failures_say_what_and_leave_no_half_set(finished: Bench) -> None:
    cat, broken = (read_failure(finished.layout.failure(index)) for index in (4, 5))
    assert cat is not None
    assert broken is not None
    assert (cat.code, cat.stage, cat.rejected) == ("no_person", "masks", False)
    assert (broken.code, broken.stage, broken.attempts) == ("image_corrupt", "masks", 1)
    assert "broken.png" in broken.message


def test_rows_are_done_plus_rejected_plus_failed_plus_pending(finished: Bench) -> None:
    counts = finished.state().row_counts()
    assert counts == {"done": 4, "failed": 2, "rejected": 1}
    assert counts.total() == len(finished.split().table)


# -- same bytes, however they are made -----------------------------------------------------------------------


def test_two_workers_and_one_give_the_same_bytes(finished: Bench, bench: Bench) -> None:
    bench.write_csv(PORTRAITS)
    bench.run(workers=2)
    assert bench.png_hashes() == finished.png_hashes()


def test_stages_one_by_one_give_the_same_bytes(finished: Bench, bench: Bench) -> None:
    bench.write_csv(PORTRAITS)
    for stage in stage_names():
        summary = bench.run(stages=[stage])
        assert computed(summary) == {each: 4 if each == stage else 0 for each in stage_names()}
    assert bench.png_hashes() == finished.png_hashes()


def test_the_number_of_a_photo_does_not_matter(finished: Bench, bench: Bench) -> None:
    bench.write_csv(PORTRAITS[::-1])
    bench.run()
    for index in range(4):
        assert sha256(bench.layout.png(3 - index, "output")) == sha256(finished.layout.png(index, "output"))


def test_another_seed_gives_another_light_on_the_same_albedo(finished: Bench, bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(seed=1))
    same = {name: sha256(bench.layout.png(0, name)) == sha256(finished.layout.png(0, name)) for name in ALL_FILES}
    assert same == {name: name not in ("degraded_fg", "output") for name in ALL_FILES}


# -- folders, locks, set-up ----------------------------------------------------------------------------------


def test_somebody_elses_images_are_refused(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.layout.folder.mkdir(parents=True)
    bench.layout.png(0, "output").write_bytes(b"older data")
    with pytest.raises(OutputFolderError, match="--overwrite"):
        bench.run()
    assert bench.layout.png(0, "output").read_bytes() == b"older data"
    assert bench.run(overwrite=True).state.row_counts() == {"done": 1}


def test_the_second_writer_learns_who_holds_the_folder(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.layout.folder.mkdir(parents=True)
    bench.layout.lock.with_suffix(".json").write_text("process 7 on elsewhere\n")
    with FileLock(bench.layout.lock), pytest.raises(OutputFolderError, match="process 7 on elsewhere"):
        bench.run()


def test_a_missing_model_is_one_clear_error(bench: Bench, tmp_path: Path) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.settings = bench.settings.model_copy(update={"model_dir": tmp_path / "none"})
    with pytest.raises(ModelFileError, match="relight models fetch"):
        bench.run()


def test_more_gpus_than_there_are_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    bench.write_csv(PORTRAITS[:1])
    bench.settings = bench.settings.model_copy(update={"num_gpus": 8})
    with pytest.raises(ConfigError, match="8 GPUs but 0 are visible"):
        bench.run()


class DeadlyAlbedo(ImageWorker):
    """Dies whenever it makes an albedo."""

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult | Shrunk]:
        albedo.extract = lambda *_: os._exit(7)  # type: ignore[assignment]
        return super().process(items)


def test_an_image_that_kills_its_worker_is_set_aside_at_the_stage_that_does(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(stages=["masks"])
    summary = bench.run(worker=DeadlyAlbedo)
    assert summary.tally.codes == {"worker_killer": 1}
    assert summary.state.row_counts() == {"failed": 1}
    failure = read_failure(bench.layout.failure(0))
    assert failure is not None
    assert (failure.stage, "exit code 7" in failure.message) == ("albedo", True)
    again = bench.run()
    assert again.workers == 0
    assert again.tally.computed_images == 0
    assert again.state.row_counts() == {"failed": 1}
    assert bench.run(retry_failed=True).state.row_counts() == {"done": 1}


def test_an_expired_failure_stays_until_its_stage_is_done(bench: Bench) -> None:
    bench.write_csv(["cat.png"])
    bench.run()
    for _ in range(2):
        summary = bench.run(recipe_with(masks={"min_coverage": 0.06}), stages=["albedo"])
        assert summary.state.row_counts() == {"pending": 1}
        assert bench.layout.failure(0).exists()


def test_a_touched_source_keeps_what_another_recipe_made(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    shutil.copyfile(bench.photos / PORTRAITS[0], own)
    bench.write_csv([str(own)])
    bench.run()
    os.utime(own, (1, 1))
    assert bench.run(recipe_with(masks={"min_coverage": 0.06}), stages=["composites"]).tally.computed_images == 0
    assert bench.run().tally.computed_images == 0


def test_one_record_that_cannot_be_read_stops_nobody_else(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:2])
    bench.run()
    bench.layout.record(0).unlink()
    bench.layout.record(0).mkdir()
    summary = bench.run()
    assert summary.tally.codes == {"record_unreadable": 1}
    assert summary.state.row_counts() == {"done": 1, "failed": 1}


def test_a_damaged_failure_file_goes_with_success(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.layout.folder.mkdir(parents=True)
    bench.layout.index_csv.write_text("")
    bench.layout.failure(0).write_text("{")
    assert bench.run().state.row_counts() == {"done": 1}
    assert not bench.layout.failure(bench.state().images[str(bench.photos / PORTRAITS[0])].index or 0).exists()


def test_the_resolved_recipe_lies_beside_the_images(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run(recipe_with(seed=12))
    assert yaml.safe_load(bench.layout.recipe.read_text())["seed"] == 12


def test_an_experiment_leaves_the_splits_own_folder_alone(bench: Bench) -> None:
    bench.write_csv(PORTRAITS[:1])
    bench.run()
    before = bench.png_hashes()
    bench.run(recipe_with(seed=5), experiment="darker")
    assert bench.png_hashes() == before
    other = bench.settings.output_root / "experiments" / "darker" / "data-train"
    assert sha256(other / "00000_output.png") != before["00000_output.png"]


def test_sources_are_not_read_when_planning(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.png"
    shutil.copyfile(bench.photos / PORTRAITS[0], own)
    bench.write_csv([str(own)])
    bench.run()

    def read(*_: object) -> None:
        raise AssertionError("a source was read")

    monkeypatch.setattr(files, "open_regular", read)
    assert bench.run().tally.computed_images == 0
    os.utime(own)
    assert bench.state().row_counts() == {"pending": 1}
    assert bench.state().unchecked_rows == 1


# -- two persons in one photo --------------------------------------------------------------------------------


def test_of_two_persons_the_larger_stays_or_both_or_the_row_is_rejected(bench: Bench) -> None:
    large = read_rgb(bench.photos / PORTRAITS[0])
    small = cv2.resize(large, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    right = 3 * large.shape[1] // 2  # with some wall between them
    wall = np.full((large.shape[0], right + small.shape[1], 3), large[0, 0], np.uint8)
    wall[:, : large.shape[1]] = large
    wall[-small.shape[0] :, right:] = small
    path = bench.folder / "two.png"
    path.write_bytes(encode_png(wall))
    bench.write_csv([str(path)])

    def right_half(persons: str) -> float:
        bench.run(recipe_with(masks={"persons": persons}))
        alpha = read_rgb(bench.layout.png(0, "foreground"))[..., 3]
        return float((alpha[:, right:] > 127).mean())

    assert right_half("largest") < 0.02
    assert right_half("union") > 0.1
    assert json.loads(bench.layout.record(0).read_text())["stages"]["masks"]["numbers"]["second_person"] is True
    assert bench.run(recipe_with(masks={"persons": "reject"})).tally.codes == {"several_persons": 1}
