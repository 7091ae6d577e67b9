"""A split whose run is at work, with another run queued behind it; and how long things take after a kill."""

import csv
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relight_assets.dataset.layout import SplitLayout
from relight_assets.dataset.records import read_record
from relight_assets.stages.registry import stage_names
from relight_assets_tests.conftest import PORTRAITS, Project, assert_records_tell_the_truth, make_project
from relight_assets_tests.faults.dagster_process import RelightDev
from relight_assets_tests.faults.processes import Process, require_servers, tree_of, wait_until, workers_in

WORKERS = 2
SOME = 4
PNG_END = b"IEND\xaeB`\x82"


def project_of_splits(root: Path, photos: Path, images: Mapping[str, int]) -> Project:
    """A project with splits of so many portraits each, whose runs are all launched by hand."""
    require_servers()
    (root / "photos").mkdir()
    made = make_project(root, root / "photos")
    (root / "config" / "platform.yaml").write_text(f"cpu_workers: {WORKERS}\nthreads: 1\nwatch: false\n")
    for split, count in images.items():
        names = [f"{split}_{number:03d}.png" for number in range(count)]
        for number, name in enumerate(names):
            shutil.copyfile(photos / PORTRAITS[number % len(PORTRAITS)], made.photos / name)
        made.write_csv(split, names)
    return made


@dataclass
class Split:
    """What is on the disk of one split."""

    project: Project
    name: str
    images: int
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
            if record is not None and set(record.stages) == set(stage_names()):
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
        assert len(self._seen) == self.images
        assert not list(self.project.data.rglob(".relight-*"))
        mapping = self.project.data / f"{self.name}_images_with_relighting_outputs.csv"
        with mapping.open(newline="", encoding="utf-8") as file:
            outputs = [Path(row["output_image_path"]) for row in csv.DictReader(file)]
        assert outputs == [self.layout.png(number, "output") for number in range(self.images)]


@dataclass(frozen=True)
class AtWork:
    """A run at work, and another one that waits for it in the queue."""

    run: str
    queued: str
    tree: list[Process]

    @property
    def pid(self) -> int:
        return self.tree[0].pid


def at_work(dev: RelightDev, many: Split, then: str = "") -> AtWork:
    """Bring it about that the split of many images is at work, with a run of ``then`` queued behind it.

    Its workers are stopped while we look: the servers answer slowly, and images are few.
    """
    before = len(many.complete())
    unfinished = dev.unfinished()
    run = unfinished[0] if unfinished else dev.launch(many.name)
    queued = dev.launch(then or many.name)
    assert wait_until(lambda: len(many.complete()) >= before + SOME) is not None, dev.messages(run)
    tree = tree_of(dev.process_of(run))
    workers = workers_in(tree)
    assert len(workers) == WORKERS
    send(workers, signal.SIGSTOP)
    assert dev.pool() == ({run}, set())  # the other one waits in the queue, not in a process that spins
    assert [dev.status(each) for each in (run, queued)] == ["STARTED", "QUEUED"]
    send(workers, signal.SIGCONT)
    return AtWork(run, queued, tree)


def send(processes: list[Process], number: signal.Signals) -> None:
    for process in processes:
        os.kill(process.pid, number)


class Clock:
    """Waits for what must happen after a run was stopped, and tells how long it took."""

    def __init__(self, how: str, dev: RelightDev):
        self._how, self._dev, self._start = how, dev, time.monotonic()

    def gone(self, tree: list[Process]) -> None:
        """No process of the run is left."""
        for what, processes in (("the workers were", workers_in(tree)), ("every process was", tree)):
            gone = wait_until(lambda among=processes: not any(process.alive for process in among))
            assert gone is not None, [process for process in tree if process.alive]
            self.tell(f"{what} gone")

    def reaches(self, run: str, status: str) -> None:
        """The run gets there, in one way or another."""
        assert wait_until(lambda: self._dev.status(run) == status) is not None, self._dev.messages(run)
        self.tell(f"{status}")

    def moves_on(self, stopped: AtWork) -> None:
        """The pool is free again, and the queued run starts by itself."""
        assert wait_until(lambda: stopped.run not in self._dev.pool()[0]) is not None
        self.tell("the slot was free")
        started = ("STARTED", "SUCCESS")
        assert wait_until(lambda: self._dev.status(stopped.queued) in started) is not None
        self.tell("the next run was STARTED")

    def tell(self, what: str) -> None:
        print(f"{self._how}: {what} after {time.monotonic() - self._start:.1f} s")
