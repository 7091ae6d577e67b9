"""What the sensor reports between runs: one split in a tick, and only what is another than before."""

import os
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.defs.automation import up_to_date
from relight_assets.defs.automation.up_to_date import Planner
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import materialized

PROJECT = ProjectSource(os.environ)


@pytest.fixture(autouse=True)
def _always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "PLAN_EVERY_S", 0.0)
    monkeypatch.setattr(up_to_date, "MAX_SHARE", float("inf"))


def reported(
    planner: Planner, instance: dg.DagsterInstance, project: Project, **how: object
) -> list[tuple[str | None, bool]]:
    paths: dict[str, Path] = {path.name.partition("_")[0]: path for path in project.data.glob("*_images.csv")}
    found = planner.report(instance, paths, PROJECT, PROJECT.settings(), **how)  # type: ignore[arg-type]
    assert all(each.severity is dg.AssetCheckSeverity.WARN for each in found)
    return [(each.partition, each.passed) for each in found]


def test_a_file_that_is_gone_is_a_warning_until_a_run_has_made_it(
    instance: dg.DagsterInstance, project: Project
) -> None:
    project.write_csv("train", PORTRAITS[:1])
    materialized(instance, "train")
    planner = Planner()
    assert reported(planner, instance, project) == [("train", True)]
    assert reported(planner, instance, project) == []
    (project.data / "outputs" / "data-train" / "00000_output.png").unlink()
    assert reported(planner, instance, project) == [("train", False)]
    assert reported(planner, instance, project) == []
    materialized(instance, "train")
    assert reported(planner, instance, project) == [("train", True)]


def test_splits_take_turns_and_those_that_are_about_to_run_are_left_out(
    instance: dg.DagsterInstance, project: Project
) -> None:
    for split in ("a", "b", "c"):
        project.write_csv(split, PORTRAITS[:1])
    planner = Planner()
    turns = [reported(planner, instance, project, requested=["b"]) for _ in range(3)]
    assert turns == [[("a", False)], [("c", False)], []]


def test_a_csv_of_other_photos_is_a_warning_with_the_reason(instance: dg.DagsterInstance, project: Project) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    materialized(instance, "train")
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    other = elsewhere / csv.name
    other.write_bytes(csv.read_bytes() + b"cat.png,\n")
    (found,) = Planner().report(instance, {"train": other}, PROJECT, PROJECT.settings())
    assert not found.passed
    assert f"belongs to {csv}" in str(found.description)


def test_a_split_with_a_run_under_way_is_left_alone(instance: dg.DagsterInstance, project: Project) -> None:
    project.write_csv("train", PORTRAITS[:1])
    tags = {"dagster/partition": "train"}
    instance.create_run_for_job(_job(), tags=tags, status=dg.DagsterRunStatus.STARTED)
    assert reported(Planner(), instance, project) == []


def _job() -> dg.JobDefinition:
    from relight_assets.definitions import defs

    return defs().resolve_job_def("relight_split")
