"""CSVs that are dropped into the folder of a real `relight dev`: its daemon starts their runs by itself."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from relight_assets_tests.conftest import PORTRAITS, Project, make_project
from relight_assets_tests.faults.dagster_process import RelightDev, started
from relight_assets_tests.faults.processes import require_servers, wait_until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    require_servers()
    made = make_project(tmp_path_factory.mktemp("watched"), photos)
    platform = made.root / "config" / "platform.yaml"
    platform.write_text("cpu_workers: 1\nthreads: 1\n")
    return made


@pytest.fixture(scope="module")
def dev(project: Project) -> Iterator[RelightDev]:
    with started(RelightDev(project.root)) as made:
        yield made


def outputs(project: Project, split: str) -> list[bool]:
    """Which rows of a split's mapping have an output that is there; empty without a mapping."""
    path = project.data / f"{split}_images_with_relighting_outputs.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            bool(row["output_image_path"]) and Path(row["output_image_path"]).exists() for row in csv.DictReader(file)
        ]


def test_dropped_csvs_are_run_one_at_a_time_and_grown_ones_again(dev: RelightDev, project: Project) -> None:
    (project.data / "bad_images.csv").write_text("no_such_column\na.png\n")
    (project.data / "nowhere_images.csv").symlink_to("gone.csv")
    (project.data / "empty_images.csv").write_text("image_path\n")
    dropped = time.monotonic()
    project.write_csv("train", PORTRAITS[:2])
    project.write_csv("val", PORTRAITS[2:3])
    started = wait_until(dev.runs)
    assert started is not None, dev.tail()
    print(f"the first run was there {time.monotonic() - dropped:.1f} s after its CSV was dropped")
    assert wait_until(lambda: outputs(project, "train") == [True] * 2 and outputs(project, "val") == [True]) is not None
    assert sorted(split for _, split, _ in dev.runs()) == ["train", "val"]
    before = {path: path.stat().st_mtime_ns for path in (project.data / "outputs" / "data-train").glob("0*.png")}
    project.write_csv("train", PORTRAITS[:3])
    assert wait_until(lambda: outputs(project, "train") == [True] * 3) is not None, dev.tail()
    assert wait_until(lambda: {status for *_, status in dev.runs()} == {"SUCCESS"}) is not None, dev.runs()
    assert sorted(split for _, split, _ in dev.runs()) == ["train", "train", "val"]
    assert {path: path.stat().st_mtime_ns for path in before} == before  # the new row alone was computed
    assert_bad_ones_are_reported_and_nothing_is_lost(dev)


def assert_bad_ones_are_reported_and_nothing_is_lost(dev: RelightDev) -> None:
    """Each content was asked for once, and a tick with nothing to ask for or to remember is an error."""
    assert wait_until(lambda: dev.ticks("new_csvs")[-1].status == "FAILURE") is not None, dev.ticks("new_csvs")
    ticks = dev.ticks("new_csvs")
    asked = [key.rsplit(":", 1) for tick in ticks for key in tick.run_keys]
    assert sorted((key.split(":")[0], generation) for key, generation in asked) == [
        ("train", "1"),
        ("train", "2"),
        ("val", "1"),
    ]
    errors = {tick.error for tick in ticks if tick.status == "FAILURE"}
    assert all("nowhere_images.csv is a link to gone.csv" in error and "empty_images" not in error for error in errors)
    assert "there is no column 'image_path'" in ticks[-1].error
    with dg.DagsterInstance.from_config(str(dev.project / ".dagster_home")) as instance:
        assert set(instance.get_dynamic_partitions("splits")) == {"train", "val"}


def test_a_start_beside_bad_csvs_names_them(dev: RelightDev, project: Project) -> None:
    assert not dev.stop()
    (project.data / "my split_images.csv").write_text("image_path\na.png\n")
    dev.start()
    log = dev.log.read_text()
    for reported in (
        "'my split' cannot be used",
        "nowhere_images.csv is a link",
        "no column 'image_path'",
        "has a header",
    ):
        assert reported in log
    assert "splits: train, val (from" in log
    assert wait_until(lambda: "'my split' cannot be used" in dev.ticks("new_csvs")[-1].error) is not None
    assert len(dev.runs()) == 3
