"""Real runs of a split: what they cost, and how long it takes until one can start."""

import os
import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import SplitLayout, split_folder
from relight_assets.dataset.record_types import Record
from relight_assets.dataset.records import read_record
from relight_assets.engine.run import RunOptions, run_split
from relight_assets.engine.worker.worker import ImageWorker
from relight_assets.errors import UserError
from relight_assets.stages.registry import stage_names

FILES_PER_IMAGE = 7
STEPS = ("decode", "segment", *stage_names(), "encode")
"""What a record has the time of, in the order in which it is done."""


class CpuTimedWorker(ImageWorker):
    """The worker as it is, with CPU times in the records in place of wall times."""

    def __init__(self, **settings: Any):
        super().__init__(**settings, clock=time.thread_time)


class StampedWorker(ImageWorker):
    """The worker as it is; when it is ready it leaves the time in a file beside the split's folder."""

    def __init__(self, *, folder: Path, **settings: Any):
        super().__init__(folder=folder, **settings)
        _ready_file(folder).write_text(repr(time.monotonic()), encoding="ascii")


@dataclass(frozen=True)
class RunCost:
    """What one run cost: parent and workers, start-up and everything written."""

    images: int
    cpu_s: float
    wall_s: float
    worker_peak_mib: float
    stage_cpu_ms: dict[str, float]
    """Per step the median over the images."""
    mib_per_image: float
    """Size of the files that were written."""


def settings_for(output_root: Path, workers: int) -> Settings:
    """The platform's defaults, with so many workers of one thread."""
    return Settings(output_root=output_root, cpu_workers=workers, threads=1)


def layout_of(csv: Path, output_root: Path) -> SplitLayout:
    """Where the outputs of a CSV are."""
    return SplitLayout(split_folder(output_root, read_split_csv(csv).split))


def run_once(csv: Path, output_root: Path, images: int, workers: int) -> RunCost:
    """Run the first ``images`` rows into an empty folder.  To be called in a process of its own.

    Raises:
        UserError: not every image came out.
    """
    shutil.rmtree(output_root, ignore_errors=True)
    split, settings = read_split_csv(csv), settings_for(output_root, workers)
    cpu, wall = cpu_s(), time.perf_counter()
    summary = run_split(split, Recipe(), settings, RunOptions(num_samples=images), worker=CpuTimedWorker)
    cpu, wall = cpu_s() - cpu, time.perf_counter() - wall
    layout = layout_of(csv, output_root)
    files = [path for path in layout.folder.iterdir() if path.name[:1].isdigit()]
    if summary.tally.computed_images != images or len(files) != images * FILES_PER_IMAGE:
        raise UserError(f"the bench needs {images} finished images; some failed: {dict(summary.tally.codes)}")
    records = [record_of(layout, number) for number in range(images)]
    return RunCost(
        images=images,
        cpu_s=cpu,
        wall_s=wall,
        # The kernel's own high-water mark of the largest child that has ended: VmHWM of a worker.
        worker_peak_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        stage_cpu_ms={step: median(record.timings_ms[step] for record in records) for step in STEPS},
        mib_per_image=sum(path.stat().st_size for path in files) / images / 2**20,
    )


def startup_once(csv: Path, output_root: Path) -> float:
    """Seconds from the call of ``run_split`` until its first worker is ready.  In a process of its own."""
    shutil.rmtree(output_root, ignore_errors=True)
    split, settings = read_split_csv(csv), settings_for(output_root, 1)
    start = time.monotonic()  # one clock for all processes of the machine
    run_split(split, Recipe(), settings, RunOptions(num_samples=1), worker=StampedWorker)
    return float(_ready_file(layout_of(csv, output_root).folder).read_text(encoding="ascii")) - start


def record_of(layout: SplitLayout, number: int) -> Record:
    """The record of an image that was finished."""
    record = read_record(layout.record(number))
    if record is None or len(record.stages) != len(stage_names()):
        raise UserError(f"the bench needs finished images; number {number} is not")
    return record


def slope(short: float, long: float, short_images: int, long_images: int) -> float:
    """What one image more costs: the start and the end of a run cancel out.

    Where noise swallows the difference, an image's share of the whole long run, which is too much.
    """
    step = (long - short) / (long_images - short_images)
    return step if step > 0 else long / long_images


def _ready_file(folder: Path) -> Path:
    return folder.parent / "worker-ready"


def cpu_s() -> float:
    """CPU time of this process and of those that it has started and that are gone, seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
