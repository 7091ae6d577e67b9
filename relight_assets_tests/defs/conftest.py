"""What the tests of jobs and assets share: an instance, and a project of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from relight_assets_tests.conftest import Project, make_project
from relight_assets_tests.defs.ticks import Sensor


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        made.add_dynamic_partitions("splits", ["train", "val", "gone"])
        yield made


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases of an instance that is new, to be copied: to have them made takes seven times as long."""
    home = tmp_path_factory.mktemp("new_home")
    with dg.DagsterInstance.local_temp(str(home)):
        return home


@pytest.fixture
def own_instance(new_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance of one test."""
    home = shutil.copytree(new_home, tmp_path_factory.mktemp("dagster"), dirs_exist_ok=True)
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield made


@pytest.fixture
def sensor(own_instance: dg.DagsterInstance) -> Sensor:
    return Sensor(own_instance)


@pytest.fixture
def empty_project(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without a CSV, in which the test stands."""
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path, photos)
