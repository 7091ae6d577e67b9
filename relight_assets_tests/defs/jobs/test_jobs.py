"""The jobs of the UI, each run for a split."""

from typing import Any

import dagster as dg
import pytest

from relight_assets.definitions import defs
from relight_assets_tests.conftest import PORTRAITS, Project


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [PORTRAITS[0], "cat.png"])
    return empty_project


def run(instance: dg.DagsterInstance, job: str, **ops: Any) -> dg.ExecuteInProcessResult:
    config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    if ops:
        config["ops"] = {name: {"config": values} for name, values in ops.items()}
    return (
        defs()
        .resolve_job_def(job)
        .execute_in_process(partition_key="train", instance=instance, run_config=config, raise_on_error=False)
    )


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    assert result.success
    return {
        event.step_materialization_data.materialization.asset_key.to_user_string(): {
            name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


def test_masks_only_then_everything_then_the_mapping_anew(instance: dg.DagsterInstance, project: Project) -> None:
    assert set(materialized(run(instance, "masks_only"))) == {"masks", "mapping_csv", "dead_letters"}
    folder = project.data / "outputs" / "data-train"
    assert (folder / "00000_foreground.png").exists()
    assert not (folder / "00000_albedo.png").exists()
    found = materialized(run(instance, "relight_split"))
    assert (found["masks"]["computed"], found["composites"]["computed"]) == (0, 1)
    mapping = project.data / "train_images_with_relighting_outputs.csv"
    before = mapping.read_bytes()
    mapping.unlink()
    assert set(materialized(run(instance, "rebuild_mapping"))) == {"mapping_csv", "dead_letters"}
    assert mapping.read_bytes() == before


def test_dead_letters_are_tried_again(instance: dg.DagsterInstance, project: Project) -> None:
    run(instance, "relight_split")
    failure = project.data / "outputs" / "data-train" / "00001_failure.json"
    assert '"attempts": 1' in failure.read_text()
    run(instance, "relight_split")
    assert '"attempts": 1' in failure.read_text()
    job = defs().resolve_job_def("retry_dead_letters")  # with the config that the launchpad shows
    result = job.execute_in_process(partition_key="train", instance=instance)
    assert materialized(result)["masks"]["failed"] == 1
    assert '"attempts": 2' in failure.read_text()


def test_verify_succeeds_on_what_is_right_and_lists_what_is_not(instance: dg.DagsterInstance, project: Project) -> None:
    run(instance, "relight_split")
    verified = run(instance, "verify")
    assert verified.success
    (observed,) = instance.fetch_observations(dg.AssetKey("mapping_csv"), limit=1).records
    assert observed.run_id == verified.run_id
    assert observed.asset_observation is not None
    assert observed.asset_observation.metadata["files"].value == 6
    assert all(row.data["good"] for row in observed.asset_observation.metadata["metrics"].records)
    assert run(instance, "verify", verify_files={"sample": 1}).success
    output = project.data / "outputs" / "data-train" / "00000_output.png"
    output.write_bytes(output.read_bytes()[:-1])
    result = run(instance, "verify")
    assert not result.success
    (event,) = result.get_step_failure_events()
    reported = event.step_failure_data.user_failure_data
    assert reported is not None
    assert "faults" in str(reported.description)
    (first, *_) = reported.metadata["faults"].records
    assert first.data["code"] == "altered"
    assert first.data["file"] == str(output)


def test_every_job_says_what_it_does() -> None:
    described = {job.name: job.description for job in defs().resolve_all_job_defs() if not job.name.startswith("__")}
    assert set(described) == {
        "relight_split",
        "masks_only",
        "retry_dead_letters",
        "rebuild_mapping",
        "verify",
        "experiment",
        "run_checks",
    }
    assert all(text and len(text) > 40 for text in described.values())
