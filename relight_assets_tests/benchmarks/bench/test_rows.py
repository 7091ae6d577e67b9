"""The bench of large splits, with a few rows: every task does what it is named after."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.bench import rows
from benchmarks.bench.__main__ import bench

TASKS = [
    "plan",
    "run with nothing to do",
    "mapping and all checks",
    "mapping and all checks again",
    "hand-out to 8 simulated slots",
    "hand-out to 64 simulated slots",
    "hand-out to 512 simulated slots",
    "hand-out to 8 simulated Ray actors",
    "hand-out to 64 simulated Ray actors",
    "hand-out to 512 simulated Ray actors",
    "near duplicates",
    "near duplicates, 200 of 256 bits shared",
    "near duplicates, 136 of 256 bits shared",
]


def test_every_task_is_measured_and_told(tmp_path: Path, model_files: None) -> None:
    target = tmp_path / "rows.json"
    result = CliRunner().invoke(bench, ["--rows", "4", "--json", str(target)])
    assert result.exit_code == 0, result.output
    assert all(task in result.output for task in TASKS)
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


def test_a_file_has_no_more_links_than_a_file_system_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def write_portraits(_folder: Path, count: int, _side: int) -> Path:
        made.append(count)
        raise InterruptedError

    monkeypatch.setattr(rows, "write_portraits", write_portraits)
    for number, count in enumerate((4, 10_000, 1_000_000)):
        with pytest.raises(InterruptedError):
            list(rows.costs(count, tmp_path / str(number), print))
    assert made == [4, 8, 17]


def test_the_table_of_the_other_figures_has_no_rows(tmp_path: Path) -> None:
    result = CliRunner().invoke(bench, ["--rows", "4", "--markdown", str(tmp_path / "page.md")])
    assert result.exit_code == 2
    assert "--markdown" in result.output
