"""``relight check``: the checks of a split in words, logged with its partition, and nothing materialized."""

import os
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from relight_assets.cli.main import main
from relight_assets.config.project import ProjectSource
from relight_assets.defs.checks.specs import CHECKS
from relight_assets.defs.names import OWN
from relight_assets.defs.runs.instance import opened_instance
from relight_assets_tests.conftest import PORTRAITS, Project, make_project, sha256


def relight(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = make_project(tmp_path, photos)
    made.write_csv("train", [PORTRAITS[0], "cat.png"])
    monkeypatch.chdir(made.root)
    return made


def test_checks_are_evaluated_alone_and_logged_with_their_partition(project: Project) -> None:
    before_any_run = relight("check", "--split", "train")
    assert before_any_run.exit_code == 2
    assert "there is no mapping" in before_any_run.output
    assert relight("run", "--split", "train").exit_code == 3
    files = {path: sha256(path) for path in project.data.rglob("*.*") if path.is_file()}
    found = relight("check", "--split", "train")
    assert found.exit_code == 0
    assert all(name in found.output for name in CHECKS)
    assert "1 of 2 rows failed, 50.0%; at most" in " ".join(found.output.split())
    assert f"train: {len(CHECKS)} checks, 0 fail, 1 warn" in found.output
    (project.data / "outputs" / "data-train" / "00000_output.png").write_bytes(b"no picture")
    assert relight("check", "--split", "train", "--check", "failure_rate").exit_code == 0
    broken = relight("check", "--split", "train", "--check", "mapping_matches_input")
    assert broken.exit_code == 3
    assert "mapping_matches_input" in broken.output
    assert "failure_rate" not in broken.output
    (project.data / "outputs" / "data-train" / "00000_output.png").unlink()
    unchanged = {path: sha256(path) for path in files if path.exists()}
    assert unchanged == {path: files[path] for path in unchanged}
    assert relight("check", "--split", "train", "--check", "none_such").exit_code == 2
    source = ProjectSource(os.environ)
    with opened_instance(source.settings(), source.folder()) as instance:
        partitions = {
            entry.get_dagster_event().asset_check_evaluation_data.partition
            for run in instance.get_runs()
            if run.job_name == "run_checks"
            for entry in instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        }
        assert len(instance.fetch_materializations(OWN.mapping, limit=9).records) == 1
    assert partitions == {"train"}
