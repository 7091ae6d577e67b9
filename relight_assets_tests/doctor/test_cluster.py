"""What `relight doctor --engine ray` says of the nodes of a real cluster."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from relight_assets.cli.main import main
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import RayCluster, Settings
from relight_assets.doctor.finding import Finding
from relight_assets.doctor.machine import examine
from relight_assets_tests.faults.ray_nodes import NOT_INSTALLED, RayNodes, ray_nodes

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def nodes(model_files: None) -> Iterator[RayNodes]:
    if importlib.util.find_spec("ray") is None:
        pytest.skip(NOT_INSTALLED)
    with ray_nodes("good") as made:
        made.add("odd", environ={"RELIGHT_MODEL_DIR": "/nonexistent"}, cpus=3)
        yield made


@pytest.fixture
def project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "platform.yaml").write_text("watch: false\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train_images.csv").write_text(f"image_path\n{photos / 'cat.png'}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_node_answers_and_what_is_wrong_is_said_with_its_name(project: Path, nodes: RayNodes) -> None:
    ran = CliRunner().invoke(main, ["doctor", "--engine", "ray", "--ray-address", nodes.address])
    said = " ".join(ran.output.split())
    assert "3 nodes with room for 4 workers, 1 CPU each; a run takes 4" in said
    assert "good: room for 1 worker; package, models, photos and output_root are as here" in said
    assert "odd: the model file /nonexistent/selfie_segmentation.tflite is missing" in said
    assert "relight models fetch" in said
    assert "devices" not in said  # of this machine, which does no work
    assert ran.exit_code == 0  # the good one is enough for a run


def test_where_no_node_could_work_no_run_can_start(tmp_path: Path, nodes: RayNodes) -> None:
    settings = Settings(
        csv_dir=tmp_path,
        output_root=tmp_path / "out",
        dagster_home=tmp_path / "home",
        engine="ray",
        ray=RayCluster(address=nodes.address, cpus_per_worker=3),
    )
    found: list[Finding] = [each for each in examine(Recipe(), settings, os.environ) if each.topic == "node"]
    assert [(each.blocks, each.text.startswith("odd: the model file")) for each in found] == [(True, True)]


def test_an_address_without_its_engine_is_refused(project: Path) -> None:
    for command in (["doctor"], ["run", "--all-splits"]):
        ran = CliRunner().invoke(main, [*command, "--ray-address", "10.0.0.1:6379"])
        assert ran.exit_code == 2
        assert "give --engine ray too" in ran.output
    ran = CliRunner().invoke(main, ["doctor", "--engine", "ray", "--ray-address", "ray://head:10001"])
    assert ran.exit_code == 2
    assert "`ray://` (Ray's client) is not supported" in " ".join(ran.output.split())
