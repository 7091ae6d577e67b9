"""What Dagster loads: the assets, what each depends on, and that start-up refuses what cannot work."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.definitions import defs
from relight_assets.defs.names import OWN
from relight_assets.errors import ConfigError
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import Bench

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    return defs()


def test_the_assets_and_their_lineage(loaded: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in loaded.resolve_all_asset_specs()}
    lineage = {name: sorted(dep.asset_key.to_user_string() for dep in spec.deps) for name, spec in specs.items()}
    assert lineage == {
        "split_csv": [],
        **{f"recipe/{stage}": [] for stage in stage_names()},
        "masks": ["recipe/masks", "split_csv"],
        "albedo": ["masks", "recipe/albedo"],
        "degraded": ["albedo", "masks", "recipe/degraded"],
        "composites": ["degraded", "masks", "recipe/composites"],
        "mapping_csv": ["albedo", "composites", "degraded", "masks", "split_csv"],
        "dead_letters": ["albedo", "composites", "degraded", "masks", "split_csv"],
        "samples": ["mapping_csv"],
        "gallery": ["mapping_csv"],
        "experiments": [],
    }


def test_every_asset_has_a_group_a_description_and_partitions(loaded: dg.Definitions) -> None:
    for spec in loaded.resolve_all_asset_specs():
        assert spec.group_name == "relight"
        assert spec.description
        assert len(spec.description) > 60
        if spec.key.path[0] == "recipe":
            continue  # one for all splits
        if spec.key.path[0] == "experiments":
            assert isinstance(spec.partitions_def, dg.MultiPartitionsDefinition)
            assert {each.name for each in spec.partitions_def.partitions_defs} == {"experiment", "split"}
            continue
        assert isinstance(spec.partitions_def, dg.DynamicPartitionsDefinition)
        assert spec.partitions_def.name == "splits"


def test_every_materialized_asset_has_a_code_version_and_kinds(loaded: dg.Definitions) -> None:
    for spec in loaded.resolve_all_asset_specs():
        if spec.key.path[0] not in ("split_csv", "recipe", "experiments"):
            assert spec.code_version
            assert 1 <= len(spec.kinds) <= 3


def test_the_images_are_one_op_in_the_pool_with_selectable_outputs(loaded: dg.Definitions) -> None:
    op = loaded.get_assets_def(dg.AssetKey("masks"))
    assert op.op.name == "relight_images"
    assert op.can_subset
    assert op.op.pool == "gpu"
    assert {key.to_user_string() for key in op.keys} == {"masks", "albedo", "degraded", "composites"}


def test_runs_execute_in_their_own_process(loaded: dg.Definitions) -> None:
    assert loaded.executor is dg.in_process_executor


def test_what_runs_by_itself_from_the_start(loaded: dg.Definitions) -> None:
    running = dg.DefaultSensorStatus.RUNNING
    assert {sensor.name: sensor.default_status is running for sensor in loaded.sensors or []} == {
        "new_csvs": True,
        "abandoned_runs": True,
        "alert_run_failed": False,  # nobody is there to be alerted
        "alert_check_failed": False,
    }
    assert all(len(sensor.description or "") > 60 for sensor in loaded.sensors or [])


def test_a_recipe_that_cannot_be_used_fails_at_start_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flat.yaml").write_text("degradation: {soft_shading: {ambient_range: [0.9, 0.99]}}", encoding="utf-8")
    monkeypatch.setenv("RELIGHT_CONFIG", str(tmp_path / "flat.yaml"))
    with pytest.raises(ConfigError, match="lower `ambient_range`"):
        defs()


def test_the_checks_the_jobs_and_the_schedule(loaded: dg.Definitions) -> None:
    repository = loaded.get_repository_def()
    blocking = {
        f"{key.asset_key.to_user_string()}:{key.name}": repository.asset_graph.get_check_spec(key).blocking
        for key in repository.asset_graph.asset_check_keys
    }
    assert blocking == {
        "mapping_csv:row_counts_reconcile": True,
        "mapping_csv:mapping_matches_input": True,
        "mapping_csv:files_match_records": True,
        "mapping_csv:background_is_exact": True,
        "mapping_csv:quality_thresholds": False,
        "mapping_csv:up_to_date": False,
        "mapping_csv:failure_rate": False,
        "mapping_csv:split_leakage": False,
        "mapping_csv:duplicates": False,
        "mapping_csv:metric_drift": False,
    }
    jobs = {job.name: sorted(node.name for node in job.nodes) for job in repository.get_all_jobs()}
    csvs = ["dead_letters", "mapping_csv"]
    assert jobs == {
        "__ASSET_JOB": [
            "dead_letters",
            "gallery",
            "mapping_csv",
            *sorted(f"recipe__{stage}" for stage in stage_names()),
            "relight_images",
            "samples",
            "split_csv",
        ],
        "relight_split": [*csvs, "relight_images"],
        "masks_only": [*csvs, "relight_images"],
        "retry_dead_letters": [*csvs, "relight_images"],
        "rebuild_mapping": csvs,
        "experiment": ["relight_experiment"],
        "verify": ["verify_files"],
        "run_checks": ["evaluate_checks"],
    }
    assert all(job.partitions_def is not None for job in repository.get_all_jobs())
    # Only a run that takes the lock is known to be dead when its process is.
    assert all(
        OWN.run_inputs in node.definition.required_resource_keys
        for job in repository.get_all_jobs()
        for node in job.graph.nodes
    )
    assert {schedule.name: schedule.default_status for schedule in repository.schedule_defs} == {
        "sweep": dg.DefaultScheduleStatus.STOPPED
    }


def test_every_asset_links_to_its_code(loaded: dg.Definitions) -> None:
    for spec in loaded.resolve_all_asset_specs():
        if spec.key.path == ["experiments"]:
            continue  # which has none: the job makes it
        if spec.key.path[0] in ("split_csv", "recipe"):
            continue  # Dagster gives observed sources none
        (reference,) = spec.metadata["dagster/code_references"].code_references
        assert Path(reference.file_path).parent == ROOT / "relight_assets" / "defs" / "assets"
        assert reference.line_number > 1


def test_dg_check_defs_passes_without_dagster_home_torch_or_a_home_to_write_in() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    binaries = Path(sys.executable).parent
    environment |= {
        "VIRTUAL_ENV": str(binaries.parent),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "HOME": "/proc",  # where nobody can make a file, root included
        "DG_CLI_CONFIG": "config/dg.toml",
    }
    done = subprocess.run(
        [str(binaries / "dg"), "check", "defs", "--use-active-venv"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workspace_file_loads(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_definitions_load_without_what_only_runs_need() -> None:
    """No network's runtime, no table, no database, no chart, no client of a web server: all load them often."""
    code = (
        "import sys, relight_assets.definitions as d; d.defs();"
        "heavy = ('torch', 'ray', 'ai_edge_litert', 'skimage', 'matplotlib', 'pandas', 'sqlalchemy', 'alembic',"
        " 'requests');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_and_all_of_its_commands_start_without_dagster_and_pandas() -> None:
    code = (
        "import sys, click; from relight_assets.cli.main import main; context = click.Context(main);"
        "found = [main.get_command(context, name) for name in main.list_commands(context)];"
        "print(len(found) > 10 and all(found), [m for m in ('dagster', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"


def test_status_is_shown_without_pandas_pillow_and_the_workers_code(finished: Bench) -> None:
    folders = ("csv_dir", finished.csv_path.parent), ("output_root", finished.settings.output_root)
    code = (
        "import contextlib, sys; from relight_assets.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['status'])\n"
        "heavy = 'pandas', 'pyarrow', 'PIL', 'relight_assets.engine.worker.worker';"
        "print([m for m in heavy if m in sys.modules])"
    )
    own = {f"RELIGHT_{name.upper()}": str(folder) for name, folder in folders}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    assert "train" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_worker_starts_without_pandas() -> None:
    code = (
        "import sys, relight_assets.engine.execution.local_process, relight_assets.engine.worker.worker;"
        "print([m for m in ('dagster', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_dagster_in_a_legacy_locale_is_one_sentence() -> None:
    """``relight`` starts itself again in UTF-8; plain ``dagster`` says what to set."""
    code = "import relight_assets.definitions as d; d.defs()"
    legacy = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **legacy},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "names of files are taken as ascii here" in done.stderr
    assert "set PYTHONUTF8=1" in done.stderr
