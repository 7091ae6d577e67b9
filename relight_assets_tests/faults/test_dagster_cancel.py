"""Runs that are stopped in every way there is, on a real Dagster instance with its daemon and real workers.

All cases share one server and one split of many portraits: each stops the run that is at work there, and the run
that was queued behind it is what the next case stops.  So each shows that the queue moves on by itself and that
a run goes on where the one before it was stopped.
"""

import csv
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record
from relight_assets.recipe import STAGES
from relight_assets_tests.conftest import PORTRAITS, Project, assert_records_tell_the_truth, make_project
from relight_assets_tests.faults.dagster_process import (
    Process,
    RelightDev,
    Terminal,
    relight_command,
    tree_of,
    wait_until,
    workers_in,
)

MANY, FEW, MORE = "many", "few", "more"
IMAGES = {MANY: 120, FEW: 4, MORE: 80}
WORKERS = 2
SOME = 4
GONE_S = 5.0
STOPPED = "error: stopped; what is finished stays done, and the same command goes on from there"
PNG_END = b"IEND\xaeB`\x82"


@dataclass
class Split:
    """What is on the disk of one split."""

    project: Project
    name: str
    _seen: dict[int, int] = field(default_factory=dict)

    @property
    def layout(self) -> SplitLayout:
        return SplitLayout(self.project.data / "outputs" / f"data-{self.name}")

    def complete(self) -> dict[int, int]:
        """When each image's record was written, of the images that have all stages."""
        found: dict[int, int] = {}
        numbers = self.layout.numbers("metadata.json") if self.layout.folder.is_dir() else set()
        for number in numbers:
            record = read_record(self.layout.record(number))
            if record is not None and set(record.stages) == set(STAGES):
                found[number] = self.layout.record(number).stat().st_mtime_ns
        return found

    def assert_whole(self) -> None:
        """Every file that can be seen is a whole one, and what was complete before was not made again."""
        for path in self.layout.folder.glob("*.png"):
            assert path.read_bytes().endswith(PNG_END), path
        for path in self.layout.folder.glob("[!.]*.json"):
            json.loads(path.read_bytes())
        assert_records_tell_the_truth(self.layout)
        complete = self.complete()
        assert self._seen.items() <= complete.items()
        self._seen = complete

    def assert_finished(self) -> None:
        """Everything is there, and nothing else."""
        self.assert_whole()
        assert len(self._seen) == IMAGES[self.name]
        assert not list(self.project.data.rglob(".relight-*"))
        mapping = self.project.data / f"{self.name}_images_with_relighting_outputs.csv"
        with mapping.open(newline="", encoding="utf-8") as file:
            outputs = [Path(row["output_image_path"]) for row in csv.DictReader(file)]
        assert outputs == [self.layout.png(number, "output") for number in range(IMAGES[self.name])]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Project:
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to see the processes")
    if not Path(relight_command()).exists():
        pytest.skip("the command `relight` is not installed")
    root = tmp_path_factory.mktemp("cancel")
    (root / "photos").mkdir()
    made = make_project(root, root / "photos")
    (root / "config" / "platform.yaml").write_text(f"cpu_workers: {WORKERS}\nthreads: 1\nwatch: false\n")
    for split, count in IMAGES.items():
        names = [f"{split}_{number:03d}.png" for number in range(count)]
        for number, name in enumerate(names):
            shutil.copyfile(photos / PORTRAITS[number % len(PORTRAITS)], made.photos / name)
        made.write_csv(split, names)
    return made


@pytest.fixture(scope="module")
def dev(project: Project) -> Iterator[RelightDev]:
    made = RelightDev(project.root)
    try:
        made.start()
        yield made
    finally:
        left = made.stop()
    assert not left, "Ctrl-C left processes behind"


@pytest.fixture(scope="module")
def many(project: Project) -> Split:
    return Split(project, MANY)


@pytest.fixture(autouse=True)
def _log_of_the_server(dev: RelightDev) -> Iterator[None]:
    yield
    print(dev.tail())  # pytest shows it when the test failed


@dataclass(frozen=True)
class AtWork:
    """A run at work, and another one that waits for it in the queue."""

    run: str
    queued: str
    tree: list[Process]

    @property
    def pid(self) -> int:
        return self.tree[0].pid


def at_work(dev: RelightDev, many: Split, then: str = MANY) -> AtWork:
    """Bring it about that the split of many images is at work, with a run of ``then`` queued behind it."""
    before = len(many.complete())
    unfinished = dev.unfinished()
    run = unfinished[0] if unfinished else dev.launch(MANY)
    queued = dev.launch(then)
    assert wait_until(lambda: len(many.complete()) >= before + SOME) is not None, dev.messages(run)
    tree = tree_of(dev.process_of(run))
    assert len(workers_in(tree)) == WORKERS
    assert dev.pool() == ({run}, set())  # the other one waits in the queue, not in a process that spins
    assert [dev.status(each) for each in (run, queued)] == ["STARTED", "QUEUED"]
    return AtWork(run, queued, tree)


class Clock:
    """Waits for what must happen after a run was stopped, and tells how long it took."""

    def __init__(self, how: str, dev: RelightDev):
        self._how, self._dev, self._start = how, dev, time.monotonic()
        self._limit = self._start + GONE_S * dev.slowness

    def gone(self, tree: list[Process]) -> None:
        """No process of the run is left 5 seconds after it was stopped (later on a busy machine)."""
        for what, processes in (("the workers were", workers_in(tree)), ("every process was", tree)):
            left = self._limit - time.monotonic()
            assert wait_until(lambda among=processes: not any(p.alive for p in among), left) is not None, (
                [process for process in tree if process.alive],
                left,
            )
            self._tell(f"{what} gone")

    def reaches(self, run: str, status: str) -> None:
        """The run gets there, in one way or another."""
        assert wait_until(lambda: self._dev.status(run) == status) is not None, self._dev.messages(run)
        self._tell(f"{status}")

    def moves_on(self, stopped: AtWork) -> None:
        """The pool is free again, and the queued run starts by itself."""
        assert wait_until(lambda: stopped.run not in self._dev.pool()[0]) is not None
        self._tell("the slot was free")
        started = ("STARTED", "SUCCESS")
        assert wait_until(lambda: self._dev.status(stopped.queued) in started) is not None
        self._tell("the next run was STARTED")

    def _tell(self, what: str) -> None:
        print(f"{self._how}: {what} after {time.monotonic() - self._start:.1f} s")


def test_terminate(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many, then=FEW)
    clock = Clock("Terminate", dev)

    dev.terminate(stopped.run)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "CANCELED")
    many.assert_whole()
    clock.moves_on(stopped)
    clock.reaches(stopped.queued, "SUCCESS")
    Split(many.project, FEW).assert_finished()


def test_kill_9_of_the_run_with_one_worker_stopped(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)
    clock = Clock("kill -9", dev)

    os.kill(workers_in(stopped.tree)[0].pid, signal.SIGSTOP)
    os.kill(stopped.pid, signal.SIGKILL)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "FAILURE")
    many.assert_whole()
    clock.moves_on(stopped)


def test_sigterm_to_the_run(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)
    clock = Clock("SIGTERM", dev)

    os.kill(stopped.pid, signal.SIGTERM)

    clock.gone(stopped.tree)
    clock.reaches(stopped.run, "FAILURE")  # CANCELED is kept for what was asked for in the UI
    many.assert_whole()
    clock.moves_on(stopped)


def test_kill_9_of_everything(dev: RelightDev, many: Split) -> None:
    stopped = at_work(dev, many)

    dev.kill()
    many.assert_whole()
    dev.start()

    assert dev.status(stopped.run) == "FAILURE"
    assert any("The process of this run is gone" in told for told in dev.messages(stopped.run))
    Clock("after the start", dev).moves_on(stopped)


def test_relight_run_waits_for_a_run_of_the_ui(dev: RelightDev, many: Split) -> None:
    unfinished = dev.unfinished()
    run = unfinished[0] if unfinished else dev.launch(MANY)
    assert wait_until(lambda: dev.pool()[0] == {run} and workers_in(tree_of(dev.process_of(run)))) is not None
    workers = workers_in(tree_of(dev.process_of(run)))
    for worker in workers:  # so that it is at work until we have seen what we came for
        os.kill(worker.pid, signal.SIGSTOP)
    patient, hasty = (Terminal([relight_command(), "run", "--split", FEW], many.project.root) for _ in range(2))
    try:
        for command in (patient, hasty):
            assert wait_until(lambda c=command: f"waiting for run {run}" in c.shown or c.ended) is not None
            assert not command.ended, command.shown + command.errors
        hasty.ctrl_c()
        assert hasty.process.wait(timeout=180) == 130
        assert hasty.errors == STOPPED
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)

        Clock("the run of the UI", dev).reaches(run, "SUCCESS")
        many.assert_finished()
        assert patient.process.wait(timeout=180) == 0, patient.shown + patient.errors
        assert patient.shown.count("waiting for run") == 1
    finally:
        patient.end()
        hasty.end()


def test_relight_run_stopped_in_every_way_goes_on(dev: RelightDev, many: Split) -> None:
    split = Split(many.project, MORE)
    for how, exit_code in (("Ctrl-C", 130), ("SIGTERM", 130), ("kill -9", -signal.SIGKILL), ("nothing", 0)):
        before = len(split.complete())
        command = Terminal([relight_command(), "run", "--split", MORE], many.project.root)
        try:
            assert wait_until(lambda at=before: len(split.complete()) >= at + SOME) is not None, command.shown
            tree = tree_of(command.process.pid)
            assert len(workers_in(tree)) == WORKERS
            if how == "Ctrl-C":  # meanwhile the bar moves
                done = re.compile(rf"[1-9]\d*/{IMAGES[MORE]}\b")
                assert wait_until(lambda: done.search(command.shown)) is not None, command.shown  # noqa: B023
            clock = Clock(f"relight run, {how}", dev)
            if how == "Ctrl-C":
                command.ctrl_c()
            elif how == "SIGTERM":
                os.kill(tree[0].pid, signal.SIGTERM)
            elif how == "kill -9":
                os.kill(workers_in(tree)[0].pid, signal.SIGSTOP)
                os.kill(tree[0].pid, signal.SIGKILL)
            if how != "nothing":
                clock.gone(tree)
            assert command.process.wait(timeout=180) == exit_code, command.shown
            assert command.errors == (STOPPED if exit_code == 130 else "")
            split.assert_whole()
        finally:
            command.end()
    split.assert_finished()
