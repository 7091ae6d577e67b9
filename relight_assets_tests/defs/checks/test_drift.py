"""The check for means that moved since the split was materialized before."""

import dagster as dg
import pytest

from relight_assets.quality import sample, statistics
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


def test_of_many_images_means_are_of_a_sample_and_photos_of_all(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SAMPLE_IMAGES", 1)
    project.write_csv("train", PORTRAITS)
    project.write_csv("val", PORTRAITS)
    run(instance, "train")
    found = checks(run(instance, "val"))
    said = found["metric_drift"].description
    assert said is not None
    assert said.endswith(f" The means are of a random sample of 1 of {len(PORTRAITS)} images.")
    assert found["split_leakage"].metadata["same"].value == len(PORTRAITS)
