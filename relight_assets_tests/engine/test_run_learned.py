"""The whole path with a learned albedo: a small real network, worker processes."""

import json
from pathlib import Path

import numpy as np
import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import LocalModel
from relight_assets.dataset.records import read_failure
from relight_assets.errors import ModelFileError
from relight_assets.models import store
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Bench, assert_records_tell_the_truth, computed
from relight_assets_tests.models.runtimes.tiny_onnx import TinyNetwork, u_net

pytestmark = pytest.mark.usefixtures("worker_processes")

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


@pytest.fixture
def own(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bench.write_csv(PORTRAITS)
    with_model(bench, u_net().write(tmp_path / "albedo.onnx"))
    return bench


def with_model(bench: Bench, file: Path | None, sha256: str | None = None) -> None:
    model = LocalModel(file=file, sha256=sha256)
    bench.settings = bench.settings.model_copy(update={"albedo_model": model})


def recipe(**mix: float) -> Recipe:
    learned = {"size": 64, "multiple": 2}
    return Recipe.model_validate({"albedo_extraction": {"mix": mix, "methods": {"learned": learned}}})


def methods(bench: Bench) -> list[str]:
    records = [json.loads(bench.layout.record(index).read_text()) for index in bench.indices()]
    return [record["stages"]["albedo"]["numbers"]["method"] for record in records]


def test_two_workers_and_one_give_the_same_bytes(own: Bench, tmp_path: Path) -> None:
    mixed = recipe(retinex=1, learned=1)
    own.run(mixed, workers=2)
    assert set(methods(own)) == {"retinex", "learned"}
    assert_records_tell_the_truth(own.layout)
    made = own.png_hashes()
    own.settings = own.settings.model_copy(update={"output_root": tmp_path / "other", "threads": 3})
    own.run(mixed)
    assert own.png_hashes() == made
    assert own.run(mixed).tally.computed_images == 0


def test_another_network_makes_the_albedo_anew(own: Bench, tmp_path: Path) -> None:
    own.run(recipe(retinex=0, learned=1))
    with_model(own, u_net(seed=1).write(tmp_path / "other.onnx"))
    again = computed(own.run(recipe(retinex=0, learned=1)))
    assert again == {stage: 0 if stage == "masks" else 4 for stage in stage_names()}


def test_a_network_that_is_not_there_is_reported_before_an_image_is_touched(own: Bench, tmp_path: Path) -> None:
    faults = {
        "needs a network": (None, None),
        "there is no file": (tmp_path / "none.onnx", None),
        "sha256 wants 1111": (tmp_path / "albedo.onnx", "1" * 64),
    }
    for reported, (file, sha256) in faults.items():
        with_model(own, file, sha256)
        with pytest.raises(ModelFileError, match=reported):
            own.run(recipe(learned=1))
        assert own.png_hashes() == {}
        own.run(recipe(), num_samples=0)  # who does not draw it does not need it


def test_an_answer_that_is_no_albedo_fails_its_image_alone(own: Bench, tmp_path: Path) -> None:
    # Numbers for the gray image that it is tried with, none for one with something darker in it.
    picky = TinyNetwork()
    picky.conv("x", "m", -np.eye(3, dtype=np.float32)[..., None, None], [0.75] * 3)
    picky.add("Log", ["m"], "y")
    with_model(own, picky.write(tmp_path / "picky.onnx"))
    summary = own.run(recipe(retinex=0, learned=1))
    assert summary.tally.codes == {"model_answer": 4}
    failure = read_failure(own.layout.failure(0))
    assert failure is not None
    assert (failure.stage, failure.retryable) == ("albedo", False)
    assert failure.message == "picky.onnx answers with NaN or infinity"
