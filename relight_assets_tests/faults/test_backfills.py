"""Backfills on a real Dagster instance that is new: a run for each split, one at a time, whatever one of them does."""

import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from relight_assets_tests.conftest import Project
from relight_assets_tests.faults.at_work import Split, project_of_splits
from relight_assets_tests.faults.dagster_process import (
    UNFINISHED,
    DagsterDev,
    RelightDev,
    Run,
    started,
    write_workspace,
)
from relight_assets_tests.faults.processes import command_path, relight_command, wait_until

pytestmark = pytest.mark.servers

IMAGES = 4
BY_UI = ("a_first", "b_refused", "c_last")
BY_COMMAND = ("d_refused", "e_last")
REFUSED = (BY_UI[1], BY_COMMAND[0])
TOGETHER = ("one", "two", "three")
IMAGE_STEP = "relight_images"
FOREIGN = "so they were made by something else"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    made = project_of_splits(tmp_path_factory.mktemp("backfills"), photos, dict.fromkeys(BY_UI + BY_COMMAND, IMAGES))
    write_workspace(made.root)
    for name in REFUSED:
        folder = Split(made, name, IMAGES).layout.folder
        folder.mkdir(parents=True)
        (folder / "00000_input.png").write_bytes(b"somebody else's")
    return made


@pytest.fixture(scope="module")
def dev(project: Project) -> Iterator[RelightDev]:
    with started(RelightDev(project.root)) as made:
        yield made


@pytest.fixture(scope="module")
def backfill(dev: RelightDev) -> str:
    """As the UI launches it.  Dagster looks at backfills every 30 seconds, so other tests go on meanwhile."""
    return dev.backfill(BY_UI)


def assert_one_at_a_time(dev: RelightDev, runs: list[str]) -> None:
    """The image steps of the runs never overlap, as their events tell it."""
    times = sorted(at for run in runs for at in dev.step_times(run, IMAGE_STEP))
    assert len(times) == len(runs)
    for (_, end), (start, _) in pairwise(times):
        assert end <= start, times


def by_split(runs: list[Run]) -> dict[str, Run]:
    """No split has two."""
    found = {run.split: run for run in runs}
    assert len(found) == len(runs)
    return found


def new_runs(dev: RelightDev, before: list[Run]) -> list[Run]:
    known = {run.id for run in before}
    return [run for run in dev.runs() if run.id not in known]


def over(dev: RelightDev, runs: list[Run], names: tuple[str, ...]) -> bool:
    """Whether every split has a run that ended.  Each look also sees that the pool has one claimed slot at most."""
    dev.pool()
    return sorted(run.split for run in runs) == sorted(names) and all(run.ended for run in runs)


def test_runs_that_start_together_on_a_new_home_of_plain_dagster_dev(
    backfill: str, tmp_path_factory: pytest.TempPathFactory, photos: Path
) -> None:
    """Here nothing has made the pool before Dagster's daemon starts the first runs, all at once."""
    project = project_of_splits(tmp_path_factory.mktemp("plain"), photos, dict.fromkeys(TOGETHER, IMAGES))
    with started(DagsterDev(project.root)) as plain:
        for name in TOGETHER:
            plain.add_split(name)
        runs = [plain.launch(name) for name in TOGETHER]

        took = wait_until(lambda: not any(plain.status(run) in UNFINISHED for run in runs))

        assert took is not None, plain.tail()
        print(f"three runs that started together were over after {took:.1f} s")
        assert [plain.status(run) for run in runs] == ["SUCCESS"] * 3, plain.tail()
        assert_one_at_a_time(plain, runs)
        for name in TOGETHER:
            Split(project, name, IMAGES).assert_finished()


def test_a_backfill_from_the_command_line(backfill: str, dev: RelightDev, project: Project) -> None:
    command = ["dagster", "job", "backfill", "-w", "workspace.yaml", "-j", "relight_split", "--noprompt"]

    subprocess.run(
        [command_path("dagster"), *command[1:], "--partitions", ",".join(BY_COMMAND)],
        cwd=project.root,
        env={**dev.environment, "DAGSTER_HOME": str(project.root / ".dagster_home")},
        check=True,
        capture_output=True,
    )

    def runs() -> list[Run]:
        return [run for run in dev.runs() if run.split in BY_COMMAND]

    took = wait_until(lambda: over(dev, runs(), BY_COMMAND))
    assert took is not None, dev.tail()
    print(f"the runs of `{' '.join(command)}` were over after {took:.1f} s")
    found = by_split(runs())
    assert [found[name].status for name in BY_COMMAND] == ["FAILURE", "SUCCESS"], dev.tail()
    assert FOREIGN in dev.errors(found[BY_COMMAND[0]].id)
    Split(project, BY_COMMAND[1], IMAGES).assert_finished()


def test_relight_run_of_all_splits(backfill: str, dev: RelightDev, project: Project) -> None:
    assert wait_until(lambda: over(dev, dev.state_of(backfill)[1], BY_UI)) is not None, dev.tail()
    before = dev.runs()
    refused = {name for name in BY_UI + BY_COMMAND if not Split(project, name, IMAGES).layout.index_csv.exists()}
    assert refused >= {BY_UI[1]}

    result = subprocess.run(
        [relight_command(), "run", "--all-splits"],
        cwd=project.root,
        env=dev.environment,
        check=False,
        capture_output=True,
        text=True,
    )

    assert result.returncode == 2, result.stdout + result.stderr
    for name in refused:
        assert f"error in split {name}" in result.stdout + result.stderr
    new = by_split(new_runs(dev, before))
    assert {name: run.status for name, run in new.items()} == {
        name: "FAILURE" if name in refused else "SUCCESS" for name in BY_UI + BY_COMMAND
    }
    assert_one_at_a_time(dev, [run.id for run in dev.runs()])


def test_a_backfill_from_the_ui(backfill: str, dev: RelightDev, project: Project) -> None:
    took = wait_until(lambda: over(dev, dev.state_of(backfill)[1], BY_UI))
    assert took is not None, dev.tail()
    found = by_split(dev.state_of(backfill)[1])
    assert [found[name].status for name in BY_UI] == ["SUCCESS", "FAILURE", "SUCCESS"], dev.tail()
    assert_one_at_a_time(dev, [run.id for run in dev.runs()])
    refused = found[BY_UI[1]].id
    assert FOREIGN in dev.errors(refused)
    splits = [Split(project, name, IMAGES) for name in BY_UI]
    for split in (splits[0], splits[2]):
        split.assert_finished()
    assert not splits[1].complete()
    assert wait_until(lambda: dev.state_of(backfill)[0] == "COMPLETED_FAILED") is not None, dev.tail()

    splits[1].layout.png(0, "input").unlink()
    again = dev.reexecute_from_failure(refused)

    assert wait_until(lambda: dev.status(again) not in UNFINISHED) is not None, dev.tail()
    assert dev.status(again) == "SUCCESS", dev.errors(again)
    for split in splits:
        split.assert_finished()
