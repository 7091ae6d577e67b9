"""What only shows a run is broken, one thing after the other: the run ends well, and says what is missing."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from relight_assets import definitions
from relight_assets.cli.main import main
from relight_assets.cli.terminal import closing_table, progress_bar
from relight_assets.definitions import defs
from relight_assets.defs.assets import images, mapping
from relight_assets.defs.checks import drift, duplicates, files, mapping_checks
from relight_assets.defs.jobs import experiments
from relight_assets.defs.metadata import run_metadata
from relight_assets.defs.runs import run_images
from relight_assets.engine import progress
from relight_assets_tests.conftest import PORTRAITS, Project, make_project, sha256
from relight_assets_tests.faults.processes import clean_environment, relight_command

MAPPING = "train_images_with_relighting_outputs.csv"
Place = tuple[object, str, str]
"""What is broken: where it stands, its name, and what the warning says; empty where that comes elsewhere."""
BROKEN: dict[str, tuple[Place, ...]] = {
    "images": (
        (run_metadata, "contact_sheet", "the contact sheet"),
        (run_metadata, "charts", "the charts"),
        (run_metadata, "worst_sheet", "the sheet of the lowest mask scores"),
        (run_metadata, "metric_sheet", "the sheet of the worst images by metric"),
    ),
    "files": (
        (run_metadata, "_sheet_file", "the file contact_sheet.jpg"),
        (progress, "asdict", "the progress file"),
    ),
    "previews, logs, links": (
        (run_metadata, "inline", "the charts"),
        (run_images._Log, "__call__", "the report of the progress"),
        (definitions.dg, "with_source_code_references", ""),  # reported when the definitions load
    ),
    "parts of the totals": (
        (run_metadata, "_seconds_by_stage", "the seconds by stage"),
        (run_metadata, "_by_device", "the lines of the devices"),
        (run_metadata, "_peak_memory", "the peak memory"),
    ),
    "metadata of the stages": (
        (images, "numbers", "the numbers of `albedo`"),
        (images, "totals", "the totals of the run"),
        (images, "provenance", "the provenance of `masks`"),
        (images, "data_version", "the data version of `composites`"),
    ),
    "metadata of the mapping": (
        (mapping, "_schema", "the columns"),
        (mapping, "_lineage", "the lineage of the columns"),
        (mapping, "spreads", "the spreads of the numbers"),
        (mapping, "_spread", "the comparison with the numbers of the run before"),
        (mapping, "_failures", "the table of failures"),
    ),
    "checks that warn": (
        (duplicates, "duplicates_across", "the check `split_leakage`"),
        (duplicates, "duplicates_within", "the check `duplicates`"),
        (drift, "spreads", "the check `metric_drift`"),
        (files, "verdicts", "the check `quality_thresholds`"),
        (mapping_checks, "check_failure_rate", "the check `failure_rate`"),
    ),
    "the progress bar": ((progress_bar, "Progress", "the progress bar"),),
    "the end of the terminal": (
        (progress_bar._Bar, "stop", "the progress bar"),
        (closing_table, "_print_places", "the closing table"),
    ),
}
ON_THE_COMMAND_LINE = {"the progress bar", "the closing table"}


class BrokenError(Exception):
    """Whatever may go wrong."""


def broken(*_: Any, **__: Any) -> Any:
    raise BrokenError("out of\norder")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    made = make_project(tmp_path_factory.mktemp("project"), photos)
    (made.root / "config" / "platform.yaml").write_text("cpu_workers: 1\nthreads: 1\n")
    made.write_csv("train", [*PORTRAITS[:2], "cat.png"])
    with pytest.MonkeyPatch.context() as patch:
        assert run(made, patch).exit_code == 3  # the cat
    return made


def run(project: Project, patch: pytest.MonkeyPatch, *more: str) -> Result:
    patch.chdir(project.root)
    before = dict(os.environ)
    try:
        return CliRunner().invoke(main, ["run", "--split", "train", *more])
    finally:
        os.environ.clear()
        os.environ.update(before)


def files(project: Project) -> dict[str, str]:
    folder = project.data / "outputs" / "data-train"
    return {path.name: sha256(path) for path in [*folder.glob("0*"), project.data / MAPPING]}


def warnings_in_log(project: Project) -> str:
    """What the last run's log warns of."""
    with dg.DagsterInstance.from_config(str(project.root / ".dagster_home")) as instance:
        (last,) = instance.get_runs(limit=1)
        assert last.status is dg.DagsterRunStatus.SUCCESS
        return "\n".join(entry.user_message for entry in instance.all_logs(last.run_id) if entry.level >= 30)


@pytest.mark.parametrize("group", BROKEN)
def test_each_is_a_warning_with_its_cause(group: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(project)
    for owner, name, _ in BROKEN[group]:
        monkeypatch.setattr(owner, name, broken)
    result = run(project, monkeypatch)
    assert result.exit_code == 3, result.output
    assert files(project) == before
    log, shown = warnings_in_log(project), " ".join(result.output.split())
    for _, _, reported in BROKEN[group]:
        if reported:
            assert f"without {reported}" in shown
            assert reported in ON_THE_COMMAND_LINE or f"without {reported}" in log
    assert "BrokenError: out of order" in shown


def test_all_at_once_on_a_first_run(
    tmp_path: Path, photos: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = make_project(tmp_path, photos)
    (fresh.root / "config" / "platform.yaml").write_text("cpu_workers: 1\nthreads: 1\n")
    fresh.write_csv("train", PORTRAITS[:2])
    for owner, name, _ in (each for group in BROKEN.values() for each in group):
        monkeypatch.setattr(owner, name, broken)
    monkeypatch.setattr("relight_assets.engine.run.space_warning", broken)
    result = run(fresh, monkeypatch)
    assert result.exit_code == 0, result.output
    assert "without the estimate of the space on the disk" in warnings_in_log(fresh)
    images = {name: found for name, found in files(fresh).items() if name.endswith(".png")}
    assert len(images) == 12
    assert images.items() <= files(project).items()
    assert len((fresh.data / MAPPING).read_text().split("_output.png")) == 3


def test_within_dagster_the_metadata_lacks_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.chdir(project.root)
    for name in ("charts", "metric_sheet"):
        monkeypatch.setattr(run_metadata, name, broken)
    monkeypatch.setattr(duplicates, "duplicates_across", broken)
    result = (
        defs()
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            partition_key="train",
            instance=instance,
            asset_selection=[
                dg.AssetKey(name) for name in ("masks", "albedo", "degraded", "composites", "mapping_csv")
            ],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    )
    assert result.success
    found = {
        event.step_materialization_data.materialization.asset_key.to_user_string(): (
            event.step_materialization_data.materialization.metadata
        )
        for event in result.get_asset_materialization_events()
    }
    assert {"contact_sheet", "rows", "warnings"} <= set(found["masks"])
    assert "charts" not in found["degraded"]
    assert "worst_by_metric" not in found["composites"]
    assert found["masks"]["warnings"].value == [
        "without the charts: BrokenError: out of order",
        "without the sheet of the worst images by metric: BrokenError: out of order",
    ]
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "split_leakage"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "BrokenError: out of order" in str(check.metadata["not_made"].value)


def test_an_experiment_without_its_comparison(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = project.root / "dark.yaml"
    recipe.write_text("background: {gray_color: [10, 20, 30]}\n")
    monkeypatch.setattr(experiments, "comparison_sheet", broken)
    result = run(project, monkeypatch, "--config", str(recipe))
    assert result.exit_code == 3, result.output
    assert "without the comparison: BrokenError: out of order" in " ".join(result.output.split())
    assert (project.data / "outputs" / "experiments" / "dark" / "data-train" / "00000_output.png").exists()


def full_disk(_: Project) -> int:
    return os.open("/dev/full", os.O_WRONLY)


def nobody(_: Project) -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("stdout", [full_disk, nobody])
def test_the_command_with_a_notebooks_environment_and_nobody_who_reads(
    project: Project, stdout: Callable[[Project], int]
) -> None:
    before = files(project)
    output = stdout(project)
    home = project.root / "home"
    home.mkdir(exist_ok=True)
    (home / "matplotlibrc").write_text("text.usetex: true\nfont.family: No Such Font\n")
    environment = {
        **clean_environment(),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(home),
        "PYTHONIOENCODING": "ascii",
    }
    try:
        done = subprocess.run(
            [relight_command(), "run", "--split", "train"],
            cwd=project.root,
            env=environment,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(output)
    assert done.returncode == 3, done.stderr
    assert files(project) == before
    assert "without" not in warnings_in_log(project)
    assert b"Traceback" not in done.stderr
