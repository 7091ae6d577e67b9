"""The whole command, with a small network on the CPU; and what it says where there is no GPU."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relight_assets.models import store
from relight_assets_tests.engine.nvidia import Libraries

pytest.importorskip("torch", reason="the SAM3 environment (make test-sam3) is not installed")
pytest.importorskip("sam3", reason="the SAM3 environment (make test-sam3) is not installed")

pytestmark = pytest.mark.usefixtures("worker_processes", "model_files")


def run(folder: Path, *options: str, environment: Mapping[str, str] = os.environ) -> "subprocess.CompletedProcess[str]":
    own = {"RELIGHT_MODEL_DIR": str(store.model_dir()), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **own},
    )


@pytest.fixture(scope="module")
def checks(model_files: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("gpu")
    done = run(folder, "--device", "cpu", "--minutes", "20", "--json", str(folder / "figures.json"))
    assert done.returncode == 0, done.stderr
    assert "network small, weights random" in done.stdout
    figures = json.loads((folder / "figures.json").read_text())
    return {check["name"]: check for check in figures["checks"]}


def test_every_check_that_a_cpu_can_do_is_done(checks: dict[str, Any]) -> None:
    assert {name: check["why"] for name, check in checks.items() if check["state"] != "done"} == {}
    assert [row for check in checks.values() for row in check["rows"] if row.get("fault")] == []


def test_both_backends_are_measured_alone(checks: dict[str, Any]) -> None:
    rows = [row for row in checks["alone"]["rows"] if "batch" in row]
    assert [(row["backend"], row["batch"]) for row in rows] == [
        ("sam3", 1),
        ("sam3", 2),
        ("sam3_transformers", 1),
        ("sam3_transformers", 2),
    ]
    assert all(row["fits"] and row["images_per_s"] > 0 and row["memory_mib"] > 100 for row in rows)
    assert all(0 <= row["waits"] < 1 for row in rows)


def test_the_pipeline_runs_in_worker_processes_and_says_which_part_the_others_wait_for(checks: dict[str, Any]) -> None:
    rows = checks["pipeline"]["rows"]
    assert [(row["backend"], row["workers"], row["images"]) for row in rows] == [
        ("sam3", 1, 4),
        ("sam3_transformers", 1, 4),
    ]
    for row in rows:
        assert row["images_per_s"] > 0
        assert row["cpu_s_per_image"] > 0
        assert row["mib_per_image"] > 0
        assert 0 <= row["segmenter_busy"] <= 1
        assert 0 <= row["threads_busy"] <= 1
        assert row["waits_for"] in {"segmenter", "cores", "neither"}
        assert row["gpu_busy_nvml"] is None


def test_less_memory_means_a_smaller_batch_and_no_mask_less(checks: dict[str, Any]) -> None:
    rows = checks["memory-limits"]["rows"]
    kept = [row["batch_kept"] for row in rows]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == rows[0]["batch"] == 16
    assert kept[-1] < 16
    assert [(row["masks"], row["device_oom"]) for row in rows] == [(16, 0)] * len(rows)


def test_a_worker_that_breaks_is_replaced_and_every_photo_is_done(checks: dict[str, Any]) -> None:
    done, said = checks["sticky-error"]["rows"]
    assert done == {"images": 4, "quarantined": 0, "workers_replaced": 1}
    assert "SIGABRT" in said["said"]
    assert "it was replaced" in said["said"]


def test_what_is_traced_gives_the_same_scores(checks: dict[str, Any]) -> None:
    rows = checks["compiled"]["rows"]
    assert {(row["backend"], row["way"], row["batch"]) for row in rows} == {
        (backend, way, batch)
        for backend in ("sam3", "sam3_transformers")
        for way in ("as it is", "traced")
        for batch in (1, 2)
    }
    assert all(row["score_change"] < 1e-3 and row["images_per_s"] > 0 for row in rows)


def test_the_projection_is_of_the_measured_figures(checks: dict[str, Any]) -> None:
    rows = checks["projection"]["rows"]
    assert [row["label"] for row in rows] == ["PROJECTION, not measured"] * 2
    best = max(row["images_per_s"] for row in checks["alone"]["rows"] if row["backend"] == "sam3" and "batch" in row)
    assert rows[0]["gpu_images_per_s"] == pytest.approx(best)
    assert rows[0]["gpus"] == 8


def test_one_lock_serves_two_processes(checks: dict[str, Any]) -> None:
    (lock,) = [row for row in checks["devices"]["rows"] if "lock" in row]
    assert lock["refused_while_held"]
    assert lock["given_afterwards"]
    assert "in use: device of this check by process" in lock["said"]


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, environment=Libraries(tmp_path).environment())
    assert done.returncode == 2
    assert "there is no GPU here" in done.stderr
    assert "--device cpu" in done.stderr


def test_no_check_begins_without_time_for_it(tmp_path: Path) -> None:
    done = run(tmp_path, "--device", "cpu", "--minutes", "0.01")
    assert done.returncode == 0, done.stderr
    assert "material  (left out, 0 s: " in done.stdout
    assert "alone  (left out, 0 s: there is no material to check with)" in done.stdout
