"""Our components in somebody's own Dagster project: its commands, and its multiprocess executor when it is killed."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets_tests.conftest import assert_records_tell_the_truth
from relight_assets_tests.faults.processes import (
    clean_environment,
    command_path,
    default_signals,
    require_servers,
    tree_of,
    wait_until,
    workers_in,
)
from relight_assets_tests.host_project import TYPE, HostProject, images

ROOT = Path(__file__).resolve().parents[2]
SPLIT = 24


@pytest.fixture
def host(tmp_path: Path) -> HostProject:
    require_servers()
    if not Path(command_path("dg")).exists():
        pytest.skip("the command `dg` is not installed")
    made = HostProject(tmp_path / "project")
    made.write()
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    _register(tmp_path / "registry")
    return made


def _register(folder: Path) -> None:
    """What an installation of the package tells Dagster's commands, as pyproject.toml has it."""
    given = (ROOT / "pyproject.toml").read_text().partition("[project.entry-points.")[2].partition("\n\n")[0]
    name, *lines = given.replace('"', "").splitlines()
    told = folder / "relight_assets-0.0.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: relight_assets\nVersion: 0.0.0\n")
    (told / "entry_points.txt").write_text("\n".join([f"[{name}", *lines, ""]))


def _records(layout: SplitLayout) -> set[int]:
    return layout.numbers("metadata.json") if layout.folder.is_dir() else set()


def _environment(host: HostProject) -> dict[str, str]:
    path = [host.root.parent / "registry", ROOT, host.root / "src"]
    return {
        **clean_environment(),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "DAGSTER_HOME": str(host.root.parent / "home"),
        "DG_CLI_CONFIG": str(ROOT / "config" / "dg.toml"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }


def _told_by(host: HostProject, *command: str) -> str:
    """What a command of Dagster says, which must succeed."""
    done = subprocess.run(
        [command_path(command[0]), *command[1:]],
        cwd=host.root,
        env=_environment(host),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_scaffolded_checked_and_run_by_the_commands_of_dagster(host: HostProject, photos: Path, tmp_path: Path) -> None:
    _told_by(host, "dg", "scaffold", "defs", TYPE, "studio")
    _told_by(host, "dg", "scaffold", "defs", TYPE, "street")
    for name, photo in (("studio", "collins_close.png"), ("street", "hopper_square.png")):
        host.write_csv(name, [photos / photo])
    assert "All definitions loaded successfully" in _told_by(host, "dg", "check", "defs", "--use-active-venv")

    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        for name in ("studio", "street"):
            instance.add_dynamic_partitions(f"{name}_splits", ["train"])

    for name in ("studio", "street"):
        selected = ",".join(key.to_user_string() for key in images(name))
        _told_by(host, "dg", "launch", "--assets", selected, "--partition", "train")
        layout = SplitLayout(host.components / name / "outputs" / "data-train")
        assert layout.numbers("metadata.json") == {0}
        assert_records_tell_the_truth(layout)
        assert (host.components / name / "outputs" / "train_images_with_relighting_outputs.csv").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_step_ends_with_the_killed_process_of_its_run(host: HostProject, stock: Path, tmp_path: Path) -> None:
    folder = host.add("studio", sorted(stock.iterdir())[:SPLIT], platform="platform.yaml")
    (folder / "platform.yaml").write_text("cpu_workers: 2\nthreads: 1\n")
    layout = SplitLayout(folder / "outputs" / "data-train")
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        instance.add_dynamic_partitions("studio_splits", ["train"])
    selected = ",".join(key.to_user_string() for key in images("studio"))
    command = ["-m", "host.definitions", "--select", selected, "--partition", "train"]
    with (tmp_path / "log").open("wb") as log:
        run = subprocess.Popen(
            [command_path("dagster"), "asset", "materialize", *command],
            cwd=host.root,
            env=_environment(host),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=default_signals,  # noqa: PLW1509
        )
    try:
        begun = wait_until(lambda: run.poll() is not None or _records(layout))
        assert begun is not None
        assert run.poll() is None, (tmp_path / "log").read_text()
        tree = tree_of(run.pid)
        assert len(workers_in(tree)) >= 3, "the step and its two workers"
    finally:
        run.kill()
        run.wait()

    assert wait_until(lambda: not any(process.alive for process in tree)) is not None
    finished = _records(layout)
    assert 0 < len(finished) < SPLIT, "they were ended, and did not end when their work was done"
    assert_records_tell_the_truth(layout)
