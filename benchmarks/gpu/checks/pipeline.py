"""The whole pipeline with real worker processes: rate, which side waits, and how many cores keep a GPU fed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean

from benchmarks.bench.pipeline_run import cpu_s, slope
from benchmarks.gpu.material import for_each_backend, recipe_of, weights_of, worker_of
from benchmarks.gpu.setting import Backend, Row, Setting
from relight_assets.config.settings import Settings
from relight_assets.dataset.csv.read import read_split_csv
from relight_assets.dataset.layout import split_folder
from relight_assets.engine.hardware.devices import cores
from relight_assets.engine.progress import Progress
from relight_assets.engine.run import RunOptions, RunSummary, run_split

BATCH = 16
WAITS_FOR = 0.9
"""A part that is busy for this share of the time is what the others wait for."""


@dataclass(frozen=True)
class Run:
    """One run, with what it took beside its summary."""

    summary: RunSummary
    images: int
    cpu_s: float
    gpu_percents: tuple[int, ...]
    mib: float
    """What was written."""

    @property
    def segment_s(self) -> float:
        """Seconds of the segmenters, of all workers together."""
        return float(sum(device.seconds["segment"] for device in self.summary.devices.values()))

    @property
    def stages_s(self) -> float:
        """Seconds of the stage threads."""
        every = sum(sum(device.seconds.values()) - device.seconds["decode"] for device in self.summary.devices.values())
        return float(every) - self.segment_s


def check(setting: Setting) -> Iterator[Row]:
    """A short run and a long one with each backend: what both have, start and end, cancels out."""
    yield from for_each_backend(setting, _backend)


def _backend(setting: Setting, backend: Backend) -> Iterator[Row]:
    short, long = (_run(setting, backend, count) for count in (max(1, setting.images // 8), setting.images))
    yield figures(backend, short, long, min(BATCH, max(setting.batches)))


def _run(setting: Setting, backend: Backend, images: int) -> Run:
    outputs = setting.scratch / f"outputs-{backend}"
    shutil.rmtree(outputs, ignore_errors=True)
    settings = Settings(
        output_root=outputs,
        sam3=weights_of(setting),
        batch=min(BATCH, max(setting.batches)),
        num_gpus="auto" if setting.device == "cuda" else "none",
        cpu_workers=1,
    )
    percents: list[int] = []

    def watch(progress: Progress) -> None:
        percents.extend(device.gpu_percent for device in progress.devices if device.gpu_percent is not None)

    split, cpu = read_split_csv(setting.photos_csv), cpu_s()
    options = RunOptions(num_samples=images)
    summary = run_split(split, recipe_of(setting, backend), settings, options, watch, worker=worker_of(setting))
    folder = split_folder(outputs, split.split)
    written = sum(path.stat().st_size for path in folder.iterdir() if path.name[:1].isdigit())
    return Run(summary, images, cpu_s() - cpu, tuple(percents), written / 2**20)


def figures(backend: Backend, short: Run, long: Run, batch: int) -> Row:
    """What an image more costs, and which part is busy, of the time between the short run's end and the long one's."""
    summary, more = long.summary, long.images - short.images
    workers = max(1, len(summary.devices))
    per_image_s = slope(short.summary.wall_s, summary.wall_s, short.images, long.images)
    cpu_per_image = slope(short.cpu_s, long.cpu_s, short.images, long.images)
    wall = per_image_s * more
    segmenter = min(1.0, (long.segment_s - short.segment_s) / wall / workers)
    threads = min(1.0, (long.stages_s - short.stages_s) / wall / workers / summary.threads)
    network_s = (long.segment_s - short.segment_s) / more
    return {
        "backend": backend,
        "batch": batch,
        "workers": workers,
        "threads": summary.threads,
        "images": long.images,
        "rejected": sum(summary.tally.codes.values()),
        "images_per_s": round(1 / per_image_s, 3),
        "start_s": round(max(0.0, summary.wall_s - per_image_s * long.images), 1),
        "cpu_s_per_image": round(cpu_per_image, 4),
        "mib_per_image": round(long.mib / long.images, 2),
        "segmenter_busy": round(segmenter, 3),
        "threads_busy": round(threads, 3),
        "gpu_busy_nvml": round(mean(long.gpu_percents) / 100, 3) if long.gpu_percents else None,
        "waits_for": waits_for(segmenter, threads),
        "cores": cores(),
        "cores_to_feed_a_gpu": round(cpu_per_image / network_s, 1),
    }


def waits_for(segmenter: float, threads: float) -> str:
    """The part of a worker that the others wait for, by the shares of the time in which each is busy."""
    if max(segmenter, threads) < WAITS_FOR:
        return "neither"
    return "segmenter" if segmenter >= threads else "cores"
