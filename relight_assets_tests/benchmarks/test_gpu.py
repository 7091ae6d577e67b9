"""The GPU script: what it measures, with the small network on the CPU; and what it says without a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.bench.portraits import write_portraits
from relight_assets.errors import DeviceOutOfMemoryError
from relight_assets.models import store
from relight_assets.models.segmenters.sam3.native import Sam3Segmenter
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3

torch = pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("sam3", reason="the SAM3 environment (make test-sam3) is not installed")

SCRIPT = [sys.executable, "-m", "benchmarks.gpu"]


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIGHT_MODEL_DIR", str(store.model_dir()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file: Path = gpu.random_checkpoint(tmp_path / "sam3.pt", tiny_sam3.network)
    return file


def test_the_segmenter_alone_and_what_does_not_fit(checkpoint: Path) -> None:
    segmenter = Sam3Segmenter(checkpoint, build=tiny_sam3.network, min_score=0.0)
    real = segmenter.candidates
    row = gpu.alone(segmenter, [np.zeros((64, 64, 3), np.uint8)], 2, rounds=3)
    assert row.batch == 2
    assert row.memory_mib > 100
    assert row.images_per_s > 0
    assert 0 <= row.waits < 1
    assert segmenter.candidates == real

    def full(_: object) -> None:
        raise DeviceOutOfMemoryError("no room")

    segmenter.candidates = full  # type: ignore[method-assign, assignment]
    assert gpu.alone(segmenter, [np.zeros((64, 64, 3), np.uint8)], 4, rounds=1) == gpu.Alone(4, None, None, None)
    assert "does not fit" in gpu.table([gpu.Alone(4, None, None, None), row], [])


def test_the_whole_pipeline(
    checkpoint: Path, model_files: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not torch.cuda.is_available():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # the CPU on purpose, as --device cpu
    (tmp_path / "portraits").mkdir()
    csv = write_portraits(tmp_path / "portraits", 2, 128)
    run = gpu.whole(csv, tmp_path / "out", checkpoint, 2, worker=tiny_sam3.SmallSam3Worker)
    assert run.images == 2
    assert run.images_per_s > 0
    assert 0 < run.segmenter_busy < 1
    assert "2 images" in gpu.table([], [run])


def test_one_command_measures_all_and_writes_it_down(model_files: None, tmp_path: Path) -> None:
    arguments = ["--device", "cpu", "--batches", "1", "2", "--rounds", "1", "--images", "2"]
    done = subprocess.run(
        [*SCRIPT, *arguments, "--json", str(tmp_path / "figures.json")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"RELIGHT_MODEL_DIR": str(store.model_dir()), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert "small network, random weights: speed alone means anything" in done.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["batch"] for row in figures["segmenter"]] == [1, 2]
    assert [run["images"] for run in figures["pipeline"]] == [2]


def test_without_a_gpu_it_says_so() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    done = subprocess.run(SCRIPT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: torch finds no GPU here")
