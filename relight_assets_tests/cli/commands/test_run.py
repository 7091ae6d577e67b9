"""``relight run --dry-run``: what a run would compute and why, and nothing is written."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets_tests.conftest import PORTRAITS, make_project


def relight(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_the_closing_table_tells_failures_apart_and_which_checks_warn(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path, photos)
    project.write_csv("train", [PORTRAITS[0], "cat.png", "broken.png"])
    monkeypatch.chdir(project.root)
    result = relight("run", "--split", "train")
    assert result.exit_code == 3
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "up to date 1 of 3 images" in lines
    assert "failed 1 image_corrupt, 1 no_person" in lines
    warned = "warning: train: the check `failure_rate` warns: 2 of 3 rows failed, 66.7%; at most"
    assert any(line.startswith(warned) for line in lines)


def test_a_dry_run_tells_what_each_stage_would_compute_and_writes_nothing(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path, photos)
    project.write_csv("train", PORTRAITS[:2])
    (project.data / "broken_images.csv").write_text("no_column\n1\n", encoding="utf-8")
    monkeypatch.chdir(project.root)
    before = sorted(tmp_path.rglob("*"))
    result = relight("run", "--all-splits", "--dry-run", "--stages", "masks,composites")
    assert sorted(tmp_path.rglob("*")) == before
    assert result.exit_code == 2  # of the CSV without the column; the other is planned all the same
    rows = [line.split() for line in result.output.splitlines()]
    assert ["train", "masks", "2", "new", "photo"] in rows
    assert not [row for row in rows if row[:1] == ["composites"]]
    assert "train: 2 images would be worked on; the CSV has 2 rows" in result.output
