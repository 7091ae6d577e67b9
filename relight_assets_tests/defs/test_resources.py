"""What a run works with is read once, and no change of it holds before the next run."""

import os
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.config.project import ProjectSource
from relight_assets.definitions import build_definitions
from relight_assets.defs.names import OWN
from relight_assets.defs.resources import RunInputs
from relight_assets.errors import ConfigError, CsvError
from relight_assets_tests.conftest import Project, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = make_project(tmp_path, tmp_path)
    made.write_csv("train", ["a.png"])
    monkeypatch.chdir(made.root)
    return made


def test_project_and_csvs_are_as_they_were_when_the_run_first_read_them(project: Project) -> None:
    source = ProjectSource({})
    inputs = RunInputs(source.context)
    first, csv = inputs.project(), inputs.split("train")
    (project.root / "config" / "platform.yaml").write_text("batch: 9\n")
    project.write_csv("train", ["a.png", "b.png"])
    assert inputs.project() is first
    assert inputs.split("train") is csv
    later = RunInputs(source.context)
    assert (later.project().settings.batch, len(later.split("train").table)) == (9, 2)


def test_a_number_of_gpus_is_that_of_the_step_that_names_it(project: Project) -> None:
    inputs = RunInputs(ProjectSource({}).context)
    assert inputs.project(2).settings.num_gpus == 2
    assert inputs.project().settings.num_gpus == "auto"


def test_what_cannot_be_used_is_reported_when_a_step_reads_it(project: Project) -> None:
    inputs = RunInputs(ProjectSource({}).context)
    with pytest.raises(CsvError):
        inputs.split("none")
    (project.root / "config" / "mvp_config.yaml").write_text(
        "degradation: {soft_shading: {ambient_range: [0.9, 0.99]}}\n"
    )
    with pytest.raises(ConfigError, match="lower `ambient_range`"):
        RunInputs(ProjectSource({}).context).project()


def test_a_project_that_is_handed_in_is_what_runs_work_with(
    project: Project, own_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ProjectSource(os.environ)
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "val_images.csv").write_text("image_path\na.png\n")
    handed = build_definitions(source, source.context().with_settings(csv_dir=elsewhere))
    monkeypatch.setenv("RELIGHT_BATCH", "many")  # nothing reads this again
    own_instance.add_dynamic_partitions("splits", ["train", "val"])
    job = handed.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=own_instance, asset_selection=[dg.AssetKey("split_csv")])
    assert result.success
    seen = own_instance.fetch_observations(dg.AssetKey("split_csv"), limit=10).records
    assert {record.partition_key for record in seen} == {"val"}
    assert OWN.run_inputs in handed.get_repository_def().get_top_level_resources()
