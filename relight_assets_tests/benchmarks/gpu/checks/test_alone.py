"""One batch of the segmenter by itself: its figures, and what does not fit."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu.checks.alone import measured
from benchmarks.gpu.material import write_checkpoint
from relight_assets.errors import DeviceOutOfMemoryError
from relight_assets.models.segmenters.sam3.native import Sam3Segmenter
from relight_assets_tests.models.segmenters.sam3 import tiny_sam3

pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("sam3", reason="the SAM3 environment (make test-sam3) is not installed")


def test_figures_of_a_batch_and_one_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checkpoint = write_checkpoint(tmp_path / "sam3.pt", tiny_sam3.network)
    segmenter = Sam3Segmenter(checkpoint, build=tiny_sam3.network, min_score=0.0)
    real, images = segmenter.candidates, [np.zeros((64, 64, 3), np.uint8)] * 2
    row = measured(segmenter, images, 3, "sam3")
    assert (row["batch"], row["fits"]) == (2, True)
    assert row["memory_mib"] > 100
    assert row["images_per_s"] > 0
    assert 0 <= row["waits"] < 1
    assert segmenter.candidates == real

    def full(_: object) -> None:
        raise DeviceOutOfMemoryError("no room")

    segmenter.candidates = full  # type: ignore[method-assign, assignment]
    assert measured(segmenter, images, 1, "sam3") == {"backend": "sam3", "batch": 2, "fits": False}
