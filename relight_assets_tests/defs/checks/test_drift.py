"""The check for means that moved since the split was materialized before."""

import dagster as dg
import pytest

from relight_assets.quality import statistics
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.checks.check_runs import checks, failed, run


def test_numbers_that_moved_since_the_last_time_warn_once(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MIN_IMAGES", 1)  # four portraits stand for the hundreds that a mean needs
    project.write_csv("train", PORTRAITS)
    assert not failed(run(instance, "train"))
    recipe = project.root / "config" / "mvp_config.yaml"
    recipe.write_text(recipe.read_text().replace("exposure_range: [-0.4, 0.4]", "exposure_range: [0.7, 0.75]"))
    result = run(instance, "train")
    assert result.success
    assert "metric_drift" in failed(result)
    moved = {record.data["number"]: record.data for record in checks(result)["metric_drift"].metadata["moved"].records}
    assert set(moved) >= {"exposure"}
    assert "coverage" not in moved
    assert moved["exposure"]["mean_now"] > 0.69  # type: ignore[operator]
    assert "metric_drift" not in failed(run(instance, "train"))  # that is how it is now
