"""CSVs that are dropped into the folder of a real `relight dev`: its daemon starts their runs by itself."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight_assets_tests.conftest import PORTRAITS, Project, make_project
from relight_assets_tests.faults.dagster_process import RelightDev
from relight_assets_tests.faults.processes import relight_command, wait_until


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see the processes")
    if not Path(relight_command()).exists():
        pytest.skip("the command `relight` is not installed")
    made = make_project(tmp_path_factory.mktemp("watched"), photos)
    platform = made.root / "config" / "platform.yaml"
    platform.write_text("cpu_workers: 1\nthreads: 1\n")
    return made


@pytest.fixture(scope="module")
def dev(project: Project) -> Iterator[RelightDev]:
    made = RelightDev(project.root)
    try:
        made.start()
        yield made
    finally:
        assert not made.stop()


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
