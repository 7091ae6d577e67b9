"""The segmenter by itself: images per second, memory, and how long the device waits, by batch and backend."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu.material import for_each_backend, make_segmenter, photos
from benchmarks.gpu.setting import Backend, Row, Setting
from relight_assets.core.arrays import Rgb8
from relight_assets.errors import DeviceOutOfMemoryError
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter


def check(setting: Setting) -> Iterator[Row]:
    """Every batch with every backend."""
    yield from for_each_backend(setting, _backend)


def _backend(setting: Setting, backend: Backend) -> Iterator[Row]:
    start = time.perf_counter()
    segmenter = make_segmenter(setting, backend)
    yield {"backend": backend, "load_s": round(time.perf_counter() - start, 2)}
    for batch in setting.batches:
        yield measured(segmenter, photos(setting, batch), setting.rounds, backend)
    del segmenter
    forget_memory(setting)


def measured(segmenter: PromptedSegmenter, images: Sequence[Rgb8], rounds: int, backend: str) -> Row:
    """Measure one batch, as many images as there are.

    ``waits`` is the share of the time in which the network was not at work, 0..1: uploads, resizing, masks on their
    way down.  Gaps inside the network, where the device waits for the next kernel, count as work.
    """
    batch = len(images)
    row: Row = {"backend": backend, "batch": batch}
    network = NetworkTime(segmenter)
    try:
        segmenter.masks(images, batch)  # the first call sets things up
        forget_peak(segmenter)
        with network:
            wall = timed(lambda: segmenter.masks(images, batch), rounds)
    except DeviceOutOfMemoryError:
        return row | {"fits": False}
    return row | {
        "fits": True,
        "images_per_s": round(batch * rounds / wall, 3),
        "memory_mib": round(peak_mib(segmenter)),
        "waits": round(max(0.0, 1 - network.seconds() / wall), 4),
    }


def timed(call: Callable[[], Any], rounds: int) -> float:
    """Seconds of so many calls, each of which ends with its result on the CPU."""
    start = time.perf_counter()
    for _ in range(rounds):
        call()
    return time.perf_counter() - start


def forget_memory(setting: Setting) -> None:
    """Give back what a network that is gone has left with the allocator."""
    if setting.device == "cuda":
        import torch

        torch.cuda.empty_cache()


def forget_peak(segmenter: PromptedSegmenter) -> None:
    """Let the peak of memory begin anew."""
    if segmenter.device == "cuda":
        segmenter.torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mib(segmenter: PromptedSegmenter) -> float:
    """The highest that the device's allocator went; on a CPU, the process."""
    if segmenter.device == "cuda":
        return float(segmenter.torch.cuda.max_memory_allocated() / 2**20)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class NetworkTime:
    """The time that the network takes inside a block, by the device's own clock where there is one."""

    def __init__(self, segmenter: PromptedSegmenter):
        self._segmenter, self._torch = segmenter, segmenter.torch
        self._real = segmenter.candidates
        self._spans: list[tuple[Any, Any]] = []

    def __enter__(self) -> None:

        def timed_candidates(squares: Any) -> Any:
            before = self._now()
            answer = self._real(squares)
            self._spans.append((before, self._now()))
            return answer

        self._segmenter.candidates = timed_candidates  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self._segmenter.candidates = self._real  # type: ignore[method-assign]

    def _now(self) -> Any:
        if self._segmenter.device != "cuda":
            return time.perf_counter()
        event = self._torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self) -> float:
        """The sum of all calls."""
        if self._segmenter.device != "cuda":
            return float(sum(after - before for before, after in self._spans))
        self._torch.cuda.synchronize()
        return float(sum(before.elapsed_time(after) for before, after in self._spans) / 1000)
