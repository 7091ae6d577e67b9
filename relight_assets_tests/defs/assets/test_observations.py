"""What the UI shows as stale, asked of Dagster's own resolver: recipes and CSVs that change, and runs that follow."""

import os

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from relight_assets.config.project import ProjectSource
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.definitions import defs
from relight_assets.defs.assets.observations import observe_csv, recipe_version
from relight_assets.defs.names import OWN
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Project
from relight_assets_tests.defs.ticks import Sensor, materialized

ASSETS = (*stage_names(), "mapping_csv", "dead_letters")


@pytest.fixture
def instance(own_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    return own_instance


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", PORTRAITS[:1])
    return empty_project


def stale(instance: dg.DagsterInstance, split: str = "train") -> list[str]:
    """The assets of a split that the UI shows as stale."""
    graph = defs().get_repository_def().asset_graph
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    found = {name: resolver.get_status(dg.AssetKey(name), split).name for name in ASSETS}
    assert set(found.values()) <= {"FRESH", "STALE"}
    return [name for name, status in found.items() if status == "STALE"]


def edit_recipe(project: Project, before: str, after: str) -> None:
    file = project.root / "config" / "mvp_config.yaml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def tick(instance: dg.DagsterInstance, sensor: Sensor) -> None:
    """What the daemon does with a tick."""
    for event in sensor.tick().asset_events:
        instance.report_runless_asset_event(event)


def test_an_edit_of_the_recipe_makes_its_stage_stale_in_every_split_until_it_is_run(
    instance: dg.DagsterInstance, sensor: Sensor, project: Project
) -> None:
    project.write_csv("val", PORTRAITS[1:2])
    materialized(instance, "train")
    materialized(instance, "val")
    tick(instance, sensor)
    assert stale(instance) == stale(instance, "val") == []
    edit_recipe(project, "gray_color: [128, 128, 128]", "gray_color: [90, 100, 110]")
    assert stale(instance) == []  # nobody has told it yet
    tick(instance, sensor)
    assert stale(instance) == stale(instance, "val") == ["composites"]
    materialized(instance, "train")
    assert stale(instance) == []
    assert stale(instance, "val") == ["composites"]


def test_a_run_tells_the_recipe_and_the_csv_before_its_first_step(
    instance: dg.DagsterInstance, sensor: Sensor, project: Project
) -> None:
    materialized(instance, "train")
    edit_recipe(project, "min_coverage: 0.05", "min_coverage: 0.06")
    project.write_csv("train", PORTRAITS[:2])
    materialized(instance, "train")
    assert stale(instance) == []
    tick(instance, sensor)
    tick(instance, sensor)
    assert stale(instance) == []


def test_a_changed_csv_makes_stale_what_was_made_of_it(
    instance: dg.DagsterInstance, sensor: Sensor, project: Project
) -> None:
    materialized(instance, "train")
    tick(instance, sensor)
    project.write_csv("train", PORTRAITS[:2])
    tick(instance, sensor)
    tick(instance, sensor)
    assert stale(instance) == ["masks", "mapping_csv", "dead_letters"]


def test_what_did_not_change_is_told_once(instance: dg.DagsterInstance, project: Project) -> None:
    materialized(instance, "train")
    materialized(instance, "train")
    for key in (OWN.split_csv, *map(OWN.recipe, stage_names())):
        assert len(instance.fetch_observations(key, limit=10).records) == 1


def test_a_csv_is_shown_with_path_rows_and_columns_and_is_never_missing(
    instance: dg.DagsterInstance, project: Project
) -> None:
    csv = project.write_csv("train", PORTRAITS[:2])
    instance.add_dynamic_partitions("splits", ["train"])
    observe_csv(instance, read_split_csv(csv))
    assert instance.get_materialized_partitions(OWN.split_csv) == {"train"}
    (shown,) = instance.fetch_materializations(OWN.split_csv, limit=2).records
    assert shown.asset_materialization is not None
    metadata = {name: value.value for name, value in shown.asset_materialization.metadata.items()}
    assert metadata["path"] == str(csv)
    assert metadata["dagster/row_count"] == 2
    assert metadata["columns"] == "image_path, note"


def test_a_recipe_shows_what_it_holds(instance: dg.DagsterInstance, project: Project) -> None:
    materialized(instance, "train")
    (record,) = instance.fetch_observations(OWN.recipe("composites"), limit=2).records
    assert record.asset_observation is not None
    metadata = record.asset_observation.metadata
    assert metadata["recipe"].value["background"]["gray_color"] == [128, 128, 128]
    assert metadata["models"].value == {}


def test_the_source_of_a_recipe_can_be_observed(instance: dg.DagsterInstance, project: Project) -> None:
    job = defs().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, asset_selection=[OWN.recipe("masks")])
    assert result.success
    versions = {
        (record.asset_observation.tags or {})["dagster/data_version"]
        for record in instance.fetch_observations(OWN.recipe("masks"), limit=9).records
        if record.asset_observation is not None
    }
    present = ProjectSource(os.environ).context()
    assert versions == {recipe_version("masks", present.recipe, present.settings)}
