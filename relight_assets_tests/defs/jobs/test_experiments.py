"""Another recipe as a named experiment: its own folder, the split's masks, and both side by side."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from filelock import FileLock

from relight_assets.dataset.layout import SplitLayout
from relight_assets.definitions import defs
from relight_assets.defs import publishing
from relight_assets.defs.jobs import experiments
from relight_assets.defs.names import OWN
from relight_assets_tests.conftest import PORTRAITS, Project

MAPPING = "train_images_with_relighting_outputs.csv"
WARM = {"degradation": {"soft_shading": {"key_temperature_range": [2000, 2400]}}, "seed": 8}


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.write_csv("train", [*PORTRAITS[:2], "cat.png"])
    return empty_project


def run(instance: dg.DagsterInstance, job: str, **config: Any) -> dg.ExecuteInProcessResult:
    ops = {"relight_experiment": {"config": config}} if config else {}
    return (
        defs()
        .resolve_job_def(job)
        .execute_in_process(
            partition_key="train",
            instance=instance,
            run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.get_step_failure_events()
    reported = event.step_failure_data.user_failure_data
    assert reported is not None
    return str(reported.description)


def test_it_takes_over_the_masks_lights_anew_and_compares(instance: dg.DagsterInstance, project: Project) -> None:
    assert run(instance, "relight_split").success
    own = project.data / "outputs" / "data-train"
    before = {path: path.stat().st_mtime_ns for path in own.iterdir() if path.is_file()}
    mapping = project.data / "train_images_with_relighting_outputs.csv"
    mapped = mapping.read_bytes()

    result = run(instance, "experiment", experiment="warm", recipe=WARM)

    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == OWN.experiments
    assert event.partition == OWN.experiment("warm", "train") == "warm|train"
    graph = defs().resolve_asset_graph()
    assert graph.get(OWN.experiments).partitions_def == OWN.experiment_partitions, "it is an asset of the project"
    assert not graph.get(OWN.experiments).is_executable, "and made by the job alone"
    keys = OWN.experiment_partitions.get_partition_keys(dynamic_partitions_store=instance)
    assert {*keys} == {f"warm|{split}" for split in instance.get_dynamic_partitions("splits")}
    assert instance.get_materialized_partitions(OWN.experiments) == {"warm|train"}
    metadata = event.step_materialization_data.materialization.metadata
    assert next(iter(metadata)) == "comparison"
    stages = {record.data["stage"]: record.data for record in metadata["stages"].records}
    assert (stages["masks"]["computed"], stages["degraded"]["computed"], stages["masks"]["failed"]) == (0, 2, 1)
    assert metadata["recipe_overrides"].value == WARM
    assert metadata["rows_done"].value == 2
    folder = project.data / "outputs" / "experiments" / "warm"
    assert (folder / "data-train" / "comparison.jpg").stat().st_size > 10_000
    assert "seed: 8" in (folder / "data-train" / "recipe.yaml").read_text()
    assert (folder / "train_images_with_relighting_outputs.csv").exists()
    assert len((folder / "train_images_failures.csv").read_text().splitlines()) == 2
    # The split is as it was, and it is still the recipe file's in the UI.
    assert {path: path.stat().st_mtime_ns for path in before if path.name != ".lock"} == {
        path: time for path, time in before.items() if path.name != ".lock"
    }
    assert mapping.read_bytes() == mapped
    latest = instance.get_latest_materialization_event(dg.AssetKey("composites"))
    assert latest is not None
    assert latest.run_id != result.run_id


def test_the_comparison_never_pairs_two_photos(
    instance: dg.DagsterInstance, empty_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = dataclasses.replace(empty_project, photos=tmp_path / "own")
    project.photos.mkdir()
    for name in PORTRAITS[:3]:
        shutil.copyfile(empty_project.photos / name, project.photos / name)
    project.write_csv("train", PORTRAITS[:2])
    assert run(instance, "relight_split").success
    # One photo is another now, and one came to it, of which the split has nothing.
    shutil.copyfile(empty_project.photos / PORTRAITS[3], project.photos / PORTRAITS[0])
    project.write_csv("train", PORTRAITS[:3])
    asked = []
    real = experiments.comparison_sheet

    def sheet(own: SplitLayout, other: SplitLayout, pairs: list[tuple[int, int]], cell: int) -> bytes | None:
        asked.append(pairs)
        return real(own, other, pairs, cell)

    monkeypatch.setattr(experiments, "comparison_sheet", sheet)
    assert run(instance, "experiment", experiment="pairs", recipe=WARM).success
    assert asked[0] == [(1, 1)]


def test_an_experiment_whose_mapping_is_not_published_says_why(
    instance: dg.DagsterInstance, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = dg.AssetCheckResult(check_name="files_match_records", passed=False)
    monkeypatch.setattr(publishing, "blocking_checks", lambda *_: [failing])
    result = run(instance, "experiment", experiment="unsure")
    assert result.success
    logged = [str(record.user_message) for record in instance.all_logs(result.run_id)]
    assert "train: the check files_match_records failed; the mapping stays without what is new" in logged
    assert not (project.data / "outputs" / "experiments" / "unsure" / MAPPING).exists()


def test_verify_knows_the_recipe_of_an_experiment(instance: dg.DagsterInstance, project: Project) -> None:
    run(instance, "experiment", experiment="dark", recipe={"background": {"gray_color": [10, 20, 30]}})
    job = defs().resolve_job_def("verify")
    for name, reported in (("dark", None), ("none", "the experiment `none` has nothing of the split `train`")):
        result = job.execute_in_process(
            partition_key="train",
            instance=instance,
            run_config={
                "ops": {"verify_files": {"config": {"experiment": name}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )
        assert result.success == (reported is None)
        assert reported is None or reported in failure(result)


def test_an_experiment_is_held_against_its_own_thresholds(instance: dg.DagsterInstance, project: Project) -> None:
    strict = {"strength_range": [1.9, 2.0]}
    assert run(instance, "experiment", experiment="strict", recipe={"seed": 2}, quality=strict).success
    written = project.data / "outputs" / "experiments" / "strict" / "data-train" / "recipe.yaml"
    assert yaml.safe_load(written.read_text())["quality"] == strict
    verify = {"verify_files": {"config": {"experiment": "strict"}}}
    result = (
        defs()
        .resolve_job_def("verify")
        .execute_in_process(
            partition_key="train",
            instance=instance,
            run_config={"ops": verify, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    )
    assert "weakest" in failure(result)
    assert "wanted >= 1.9 stops" in failure(result)
    # Without them the same recipe is the same experiment, and the platform's hold again.
    again = run(instance, "experiment", experiment="strict", recipe={"seed": 2})
    (event,) = again.get_asset_materialization_events()
    stages = event.step_materialization_data.materialization.metadata["stages"].records
    assert [record.data["computed"] for record in stages] == [0, 0, 0, 0]
    assert "quality" not in yaml.safe_load(written.read_text())


@pytest.mark.parametrize(
    ("config", "reported"),
    [
        ({"experiment": "../up"}, "experiment name '../up' cannot be used"),
        ({"experiment": "x", "recipe": {"masks": {"min_score": 7}}}, "masks.min_score"),
        ({"experiment": "x", "recipe": {"degradation": {"soft_shading": {"ambient_range": [0.9, 0.99]}}}}, "lower"),
        ({"experiment": "x", "quality": {"max_comb": 7.0}}, "quality.max_comb"),
        ({"experiment": "x", "num_gpus": 99}, "99 GPUs"),
        ({"experiment": "x", "num_gpus": -1}, "must be 0 or more"),
        ({"experiment": "x", "num_samples": -1}, "must be 0 or more"),
        ({"experiment": "x", "stages": []}, "at least one stage"),
    ],
)
def test_a_mistake_is_one_sentence(
    instance: dg.DagsterInstance, project: Project, config: dict[str, Any], reported: str
) -> None:
    result = run(instance, "experiment", **config)
    assert not result.success
    assert reported in failure(result)
    assert not result.get_asset_materialization_events()


def test_a_few_rows_and_stages_alone(instance: dg.DagsterInstance, project: Project) -> None:
    assert run(instance, "experiment", experiment="few", num_samples=1, stages=["masks"]).success
    folder = project.data / "outputs" / "experiments" / "few" / "data-train"
    assert sorted(path.name for path in folder.glob("*.png")) == [
        f"00000_{name}.png" for name in ("background", "foreground", "input")
    ]


def test_a_start_that_is_refused_leaves_a_finished_experiment_as_it_is(
    instance: dg.DagsterInstance, project: Project
) -> None:
    assert run(instance, "relight_split").success
    assert run(instance, "experiment", experiment="kept", recipe={"seed": 3}).success
    folder = project.data / "outputs" / "experiments" / "kept"
    mapping = folder / "train_images_with_relighting_outputs.csv"
    before = mapping.read_bytes(), (folder / "data-train" / "recipe.yaml").read_bytes()
    with FileLock(project.data / "outputs" / "data-train" / ".lock"):
        result = run(instance, "experiment", experiment="kept", recipe={"seed": 9})
    assert "is being written by" in failure(result)
    assert (mapping.read_bytes(), (folder / "data-train" / "recipe.yaml").read_bytes()) == before
