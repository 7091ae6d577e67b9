"""What the doctor sees on this machine, and what it advises where something is short."""

import resource
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.engine import doctor, nvml
from relight_assets.engine.doctor import Finding, examine
from relight_assets.recipe import Recipe
from relight_assets.settings import Sam3Weights, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(output_root=tmp_path / "not" / "there", cpu_workers=2)


def found(findings: list[Finding], topic: str) -> Finding:
    (finding,) = (each for each in findings if each.topic == topic)
    return finding


def test_a_machine_that_has_what_it_needs(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500 << 30))
    findings = examine(Recipe(), settings)
    assert not any(finding.blocks or finding.advice for finding in findings)
    assert found(findings, "workers").text == "2: cpu 0, cpu 1"
    assert "500.0 GiB free" in found(findings, "disk").text
    assert "portraits of 1024x1024" in found(findings, "disk").text
    assert "MiB of pictures per worker" in found(findings, "memory").text
    told = [finding.text for finding in findings if finding.topic == "segmenter"]
    assert [text.split(",")[0] for text in told] == ["selfie", "loads"]


def test_what_is_short_comes_with_advice(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(nvml, "driver_version", lambda: "570.1")
    monkeypatch.setattr(nvml, "gpus", lambda: [nvml.Gpu("GPU-1", "H100", 81_559, 80_000)])
    monkeypatch.setattr(doctor, "cores", lambda: 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    findings = examine(Recipe(), settings)
    assert "another disk" in (found(findings, "disk").advice or "")
    assert "ulimit -n 4096" in (found(findings, "open files").advice or "")
    assert found(findings, "gpu").text == "H100, 81,559 MiB, 80,000 MiB free (GPU-1)"
    assert found(findings, "driver").text == "NVIDIA 570.1"
    assert "8 cores per GPU" in (found(findings, "cores").advice or "")
    assert not any(finding.blocks for finding in findings)


def test_what_stops_a_run_blocks(settings: Settings, model_files: None, tmp_path: Path) -> None:
    few = settings.model_copy(update={"num_gpus": 400})
    assert found(examine(Recipe(), few), "devices").blocks
    empty = settings.model_copy(update={"model_dir": tmp_path})
    missing = found(examine(Recipe(), empty), "models")
    assert (missing.blocks, "relight models fetch" in missing.text) == (True, True)


def test_sam3_without_weights_says_how_to_get_them(settings: Settings, model_files: None, tmp_path: Path) -> None:
    for name in ("sam3", "sam3_transformers"):
        recipe = Recipe.model_validate({"segmenter": name})
        for weights in (Sam3Weights(), Sam3Weights(checkpoint=tmp_path / "gone.pt", directory=tmp_path / "gone")):
            told = found(examine(recipe, settings.model_copy(update={"sam3": weights})), "models")
            assert told.blocks
            assert "SAM License" in told.text or "not installed" in told.text
