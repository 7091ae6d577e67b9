"""What the doctor sees on this machine, and what it advises where something is short."""

import os
import resource
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Sam3Weights, Settings
from relight_assets.doctor import folders, machine
from relight_assets.doctor.finding import Finding
from relight_assets.doctor.machine import examine
from relight_assets.engine.hardware import devices
from relight_assets.engine.hardware.cgroups import MemoryLimit
from relight_assets_tests.engine.nvidia import LOST, UUIDS, driver


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(folders, "port_fault", lambda _: None)
    (tmp_path / "train_images.csv").write_text("image_path\nnone.png\n", encoding="utf-8")
    return Settings(
        csv_dir=tmp_path, output_root=tmp_path / "not" / "there", dagster_home=tmp_path / "home", cpu_workers=2
    )


def found(findings: list[Finding], topic: str) -> Finding:
    (finding,) = (each for each in findings if each.topic == topic)
    return finding


def test_a_machine_that_has_what_it_needs(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500 << 30))
    findings = examine(Recipe(), settings, os.environ)
    assert not any(finding.blocks or finding.advice for finding in findings)
    assert found(findings, "workers").text == "2: cpu 0, cpu 1"
    assert "512,000 MiB free" in found(findings, "disk").text
    assert "portraits of 1024x1024" in found(findings, "disk").text
    assert "MiB of images per worker" in found(findings, "memory").text
    reported = [finding.text for finding in findings if finding.topic == "segmenter"]
    assert [text.split(",")[0] for text in reported] == ["selfie", "loads"]


def test_what_is_short_comes_with_advice(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(machine, "read_driver", lambda: driver(2))
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(devices, "available_memory", lambda: 300 << 20)
    findings = examine(Recipe(), settings, os.environ)
    assert "another disk" in (found(findings, "disk").advice or "")
    assert "ulimit -n 4096" in (found(findings, "open files").advice or "")
    gpus = [finding.text for finding in findings if finding.topic == "gpu"]
    assert gpus == [f"H100, 81,920 MiB, 80,896 MiB free ({uuid})" for uuid in UUIDS[:2]]
    assert found(findings, "workers").text == "2: gpu 0, gpu 1"
    assert "75 MiB of images per worker" in found(findings, "memory").text
    assert "fewer workers" in (found(findings, "memory").advice or "")
    assert found(findings, "driver").text == "NVIDIA 570.1"
    assert "8 cores per GPU" in (found(findings, "cores").advice or "")
    assert not any(finding.blocks for finding in findings)


def test_what_stops_a_run_blocks(settings: Settings, model_files: None, tmp_path: Path) -> None:
    few = settings.model_copy(update={"num_gpus": 400})
    assert found(examine(Recipe(), few, os.environ), "devices").blocks
    empty = settings.model_copy(update={"model_dir": tmp_path})
    missing = found(examine(Recipe(), empty, os.environ), "models")
    assert (missing.blocks, "relight models fetch" in missing.text) == (True, True)


def test_sam3_without_weights_says_how_to_get_them(settings: Settings, model_files: None, tmp_path: Path) -> None:
    for name in ("sam3", "sam3_transformers"):
        recipe = Recipe.model_validate({"segmenter": name})
        for weights in (Sam3Weights(), Sam3Weights(checkpoint=tmp_path / "gone.pt", directory=tmp_path / "gone")):
            reported = found(examine(recipe, settings.model_copy(update={"sam3": weights}), os.environ), "models")
            assert reported.blocks
            assert "SAM License" in reported.text or "not installed" in reported.text


def test_a_lost_gpu_is_named_and_the_others_are_used(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "read_driver", lambda: driver(3, lost=(1,)))
    findings = examine(Recipe(), settings, os.environ)
    assert Finding("gpu", "gpu 1 cannot be used", LOST) in findings
    assert found(findings, "workers").text == "2: gpu 0, gpu 2"
    assert not any(finding.blocks for finding in findings)
    monkeypatch.setattr(machine, "read_driver", lambda: driver(2, lost=(0, 1)))
    reported = found(examine(Recipe(), settings, os.environ), "devices")
    assert (reported.blocks, "gpu 0: GPU is lost" in reported.text, "num_gpus: none" in reported.text) == (
        True,
        True,
        True,
    )


def test_the_limits_of_a_container_are_shown(
    settings: Settings, model_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = MemoryLimit(2 << 30, 1 << 30, Path("/sys/fs/cgroup"))
    monkeypatch.setattr(machine, "memory_limit", lambda: limit)
    monkeypatch.setattr(machine, "cpu_limit", lambda: 1.5)
    findings = examine(Recipe(), settings, os.environ)
    assert "MiB free, of at most 2,048 MiB (/sys/fs/cgroup)" in found(findings, "memory").text
    assert "(a limit of 1.5 holds here)" in found(findings, "cores").text
