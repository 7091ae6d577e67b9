"""The schedule `sweep`, tick by tick, on a real instance."""

import os

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import defs
from relight_assets.defs.automation.sweep import schedule_of
from relight_assets.errors import ConfigError
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import materialized, swept

PROJECT = ProjectSource(os.environ)


def test_the_sweep_runs_what_is_missing_or_stale_and_nothing_else(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    project.write_csv("val", PORTRAITS[1:2])
    (project.data / "bad_images.csv").write_text("path\na.png\n")
    assert swept(instance) == ["train", "val"]
    assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}
    materialized(instance, "train")
    assert swept(instance) == ["val"]
    output = project.data / "outputs" / "data-train" / "00000_output.png"
    output.unlink()
    assert swept(instance) == ["train", "val"]
    materialized(instance, "train")
    (project.data / "train_images_with_relighting_outputs.csv").unlink()
    assert swept(instance) == ["train", "val"]
    materialized(instance, "train")
    project.write_csv("train", PORTRAITS[:2])
    assert swept(instance) == ["train", "val"]


def test_the_sweep_sees_a_csv_that_says_something_else(instance: dg.DagsterInstance, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    materialized(instance, "train")
    text = csv.read_text()
    header, first, second = text.splitlines(keepends=True)
    for changed in ([header, first], [header, second, first], [header, first.replace(",0", ",7"), second]):
        assert swept(instance) == []
        csv.write_text("".join(changed))
        assert swept(instance) == ["train"]
        csv.write_text(text)
    (project.data / "train_images_failures.csv").unlink()
    assert swept(instance) == ["train"]


def test_the_sweep_sees_files_that_must_be_hashed_to_know(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    materialized(instance, "train")
    os.utime(project.data / "outputs" / "data-train" / "00000_albedo.png", (1, 1))
    assert swept(instance) == ["train"]
    materialized(instance, "train")
    assert swept(instance) == []


def test_the_sweep_names_a_csv_that_is_refused_and_runs_the_others(
    instance: dg.DagsterInstance, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    csv = project.write_csv("train", PORTRAITS[:1])
    materialized(instance, "train")
    origin = project.data / "outputs" / "data-train" / "origin.json"
    (project.data / "before.csv").write_text("image_path\nelsewhere.png\n")
    origin.write_text(origin.read_text().replace(str(csv), str(project.data / "before.csv")))
    project.write_csv("val", PORTRAITS[1:2])
    capfd.readouterr()
    assert swept(instance) == ["val"]
    assert "belongs to" in capfd.readouterr().err


def test_the_sweep_leaves_a_split_with_a_run_under_way_alone(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    run = instance.create_run_for_job(defs().resolve_job_def("relight_split"), tags={"dagster/partition": "train"})
    assert swept(instance) == []  # it is not even queued yet
    instance.report_run_canceled(run)
    assert swept(instance) == ["train"]


def test_a_schedule_that_cannot_be_read_is_a_clear_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_SWEEP_CRON", "every night")
    with pytest.raises(ConfigError, match=r'`sweep_cron`: found "every night"'):
        defs()


def test_the_schedule_is_off_until_it_is_switched_on(project: Project) -> None:
    assert schedule_of(PROJECT, PROJECT.settings()).default_status is dg.DefaultScheduleStatus.STOPPED
