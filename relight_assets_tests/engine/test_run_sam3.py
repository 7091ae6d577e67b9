"""The whole path with SAM3 as the segmenter: real package, small network, random weights, worker processes."""

import json
from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Sam3Weights
from relight_assets.dataset.records import read_failure
from relight_assets.engine.run import RunOptions, RunSummary, run_split
from relight_assets.errors import ModelFileError
from relight_assets.models import store
from relight_assets_tests.conftest import PORTRAITS, Bench, assert_records_tell_the_truth, read_rgb, sha256
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3, tiny_sam3_transformers
from relight_assets_tests.models.segmenters.sam3.tiny_sam3 import SmallSam3Worker

pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("sam3", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("transformers", reason="the SAM3 environment (make test-sam3) is not installed")

pytestmark = pytest.mark.usefixtures("worker_processes")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Sam3Weights:
    folder = tmp_path_factory.mktemp("weights")
    tiny_sam3_transformers.write_folder(folder)
    checkpoint = tiny_sam3.write_checkpoint(folder / "sam3.pt", tiny_sam3.random_weights(tiny_sam3.network().model))
    return Sam3Weights(checkpoint=checkpoint, directory=folder)


@pytest.fixture
def sam3_bench(bench: Bench, weights: Sam3Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))  # the others' cache is not these tests' to fill
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bench.settings = bench.settings.model_copy(update={"sam3": weights, "num_gpus": "none"})
    return bench


def recipe(segmenter: str, **masks: object) -> Recipe:
    # Random networks are not sure of anything: whatever they mark is taken.
    sections = {"min_coverage": 0.0, "persons": "union"} | masks
    anything = {"max_coverage": 1, "min_subject": 0, "max_soft_edge": 1, "max_face_clipped": 1, "min_lightness": 0}
    anything |= {"min_face": 0, "min_sharpness": 0, "max_undecided": 1, "max_roll": 180, "negatives": "take"}
    anything |= {"monochrome": "take", "max_own_light": 10}
    return Recipe.model_validate(
        {"segmenter": segmenter, "sam3": {"min_score": 0.0}, "masks": sections, "photo_qa": anything}
    )


def run(bench: Bench, wanted: Recipe, workers: int = 1) -> RunSummary:
    settings = bench.settings.model_copy(update={"cpu_workers": workers})
    return run_split(bench.split(), wanted, settings, RunOptions(), worker=SmallSam3Worker)


@pytest.mark.parametrize("segmenter", ["sam3", "sam3_transformers"])
def test_a_split_from_csv_to_composites(sam3_bench: Bench, weights: Sam3Weights, segmenter: str) -> None:
    sam3_bench.write_csv(PORTRAITS)
    summary = run(sam3_bench, recipe(segmenter))
    assert summary.tally.codes.keys() <= {"weak_pair"}  # a random mask may lie where no light tells
    made = [i for i in range(4) if sam3_bench.layout.png(i, "output").exists()]
    assert made
    assert_records_tell_the_truth(sam3_bench.layout)
    file = weights.checkpoint if segmenter == "sam3" else weights.directory / "model.safetensors"  # type: ignore[operator]
    for index in made:
        numbers = json.loads(sam3_bench.layout.record(index).read_text())["stages"]["masks"]["numbers"]
        assert (numbers["segmenter"], numbers["segmenter_sha256"]) == (segmenter, sha256(file))  # type: ignore[arg-type]
        assert numbers["instance_scores"][0] == numbers["score"] > 0
        alpha = read_rgb(sam3_bench.layout.png(index, "foreground"))[..., 3]
        output = read_rgb(sam3_bench.layout.png(index, "output"))
        assert np.all(output[alpha == 0] == 128)
    again = run(sam3_bench, recipe(segmenter))
    assert again.tally.computed_images == 0


def test_any_number_of_workers_gives_the_same_bytes(sam3_bench: Bench, tmp_path: Path) -> None:
    sam3_bench.write_csv(PORTRAITS)
    run(sam3_bench, recipe("sam3"), workers=2)
    one = sam3_bench.png_hashes()
    sam3_bench.settings = sam3_bench.settings.model_copy(update={"output_root": tmp_path / "other", "threads": 3})
    run(sam3_bench, recipe("sam3"))
    assert sam3_bench.png_hashes() == one


def test_rows_without_or_with_too_many_persons_fail_by_themselves(sam3_bench: Bench) -> None:
    sam3_bench.write_csv(PORTRAITS[:2])
    strict = recipe("sam3").model_copy(update={"sam3": recipe("sam3").sam3.model_copy(update={"min_score": 1.0})})
    assert run(sam3_bench, strict).tally.codes == {"no_person": 2}
    failure = read_failure(sam3_bench.layout.failure(0))
    assert failure is not None
    assert "best candidate scored 0." in failure.message
    assert run(sam3_bench, recipe("sam3", persons="reject")).tally.codes == {"several_persons": 2}
    assert sam3_bench.state(recipe("sam3", persons="reject")).row_counts() == {"rejected": 2}


def test_other_weights_redo_the_masks(sam3_bench: Bench, tmp_path: Path) -> None:
    sam3_bench.write_csv(PORTRAITS[:1])
    run(sam3_bench, recipe("sam3"))
    other = tiny_sam3.write_checkpoint(tmp_path / "b.pt", tiny_sam3.random_weights(tiny_sam3.network().model, seed=1))
    sam3_bench.settings = sam3_bench.settings.model_copy(update={"sam3": Sam3Weights(checkpoint=other)})
    assert run(sam3_bench, recipe("sam3")).tally.computed_images == 1


def test_weights_that_are_wrong_end_the_run_at_once_and_once(sam3_bench: Bench, tmp_path: Path) -> None:
    sam3_bench.write_csv(PORTRAITS[:1])
    (tmp_path / "bad.pt").write_text("nothing")
    sam3_bench.settings = sam3_bench.settings.model_copy(
        update={"sam3": Sam3Weights(checkpoint=tmp_path / "bad.pt"), "cpu_workers": 2}
    )
    with pytest.raises(Exception, match=r"bad\.pt is no checkpoint that torch can read safely"):
        run_split(sam3_bench.split(), recipe("sam3"), sam3_bench.settings, RunOptions(), worker=SmallSam3Worker)
    sam3_bench.settings = sam3_bench.settings.model_copy(
        update={"sam3": Sam3Weights(checkpoint=tmp_path / "bad.pt", sha256="0" * 64)}
    )
    with pytest.raises(ModelFileError, match=r"sam3\.sha256 wants 0000"):
        run(sam3_bench, recipe("sam3"))
