"""The checks of rows: failed rows warn, and a mapping that is not the input is stopped."""

from typing import Any

import dagster as dg
import pytest

from relight_assets.defs import publishing
from relight_assets.engine.publish import StagedMapping
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.checks.check_runs import checks, failed, run


def test_many_failed_rows_warn_and_the_run_is_a_success(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", [PORTRAITS[0], "cat.png"])
    result = run(instance, "train")
    assert result.success
    assert failed(result) == {"failure_rate"}
    warning = checks(result)["failure_rate"]
    assert warning.severity is dg.AssetCheckSeverity.WARN
    assert warning.metadata["failed_share"].value == 0.5
    assert warning.metadata["failures_by_code"].value == {"no_person": 1}


def test_a_mapping_that_is_not_the_input_is_stopped(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_csv("train", PORTRAITS[:2])
    run(instance, "train")
    target = project.data / "train_images_with_relighting_outputs.csv"
    before = target.read_bytes()
    real = publishing.stage_mapping

    def a_row_short(*arguments: Any) -> StagedMapping:
        staged = real(*arguments)
        staged.file.write_text("".join(staged.file.read_text().splitlines(keepends=True)[:-1]))
        return staged

    monkeypatch.setattr(publishing, "stage_mapping", a_row_short)
    result = run(instance, "train")
    assert target.read_bytes() == before
    assert not result.success
    assert failed(result) == {"mapping_matches_input", "row_counts_reconcile"}
    assert checks(result)["row_counts_reconcile"].metadata["rows_in_mapping"].value == 1
