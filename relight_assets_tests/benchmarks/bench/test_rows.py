"""The bench of large splits, with a few rows: every task does what it is named after."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.bench import rows
from benchmarks.bench.rows import hand_out, main
from relight_assets.engine.execution import dispatch

TASKS = [
    "plan",
    "run with nothing to do",
    "mapping and all checks",
    "near duplicates",
    "near duplicates, 200 of 256 bits shared",
    "hand-out to 8 simulated slots",
    "hand-out to 64 simulated slots",
    "hand-out to 512 simulated slots",
]


def test_every_task_is_measured_and_told(tmp_path: Path, model_files: None) -> None:
    target = tmp_path / "rows.json"
    result = CliRunner().invoke(main, ["--rows", "4", "--json", str(target)])
    assert result.exit_code == 0, result.output
    found = json.loads(target.read_bytes())
    assert [each["task"] for each in found] == TASKS
    assert all(
        each["rows"] == 4 and each["cpu_s"] > 0 and each["peak_mib"] >= each["imports_mib"] > 20 for each in found
    )


def test_the_mapping_is_published_after_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(rows, "check_split", lambda mapping, **_: made.append(mapping.file.name) or [])
    csv = tmp_path / "many_images.csv"
    csv.write_text("image_path\n", encoding="utf-8")
    rows.check(csv, tmp_path / "outputs")
    assert len(made) == 1
    assert (tmp_path / "many_with_outputs.csv").exists() or list(tmp_path.glob("*_with_*.csv"))


def test_all_that_is_handed_out_comes_back() -> None:
    assert hand_out(1000, 64) == 1000
    assert hand_out(3, 64) == 3


def test_a_result_costs_the_same_with_hundreds_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    real = dispatch._Dispatcher._feed

    def feed(dispatcher: dispatch._Dispatcher, worker: dispatch.WorkerState) -> None:
        nonlocal asked
        asked += 1
        real(dispatcher, worker)

    monkeypatch.setattr(dispatch._Dispatcher, "_feed", feed)
    assert hand_out(2000, 256) == 2000
    assert asked < 3 * 2000
