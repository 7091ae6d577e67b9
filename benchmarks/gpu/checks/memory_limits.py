"""Real out-of-memory errors, at falling limits: the batch is halved until it fits, and no photo is lost before one."""

import ctypes
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.gpu.material import backends, make_segmenter, photos
from benchmarks.gpu.setting import Row, Setting
from relight_assets.errors import DeviceOomError
from relight_assets.models.segmenters.batching import Segmentation
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter

ROOM_MIB = {"cuda": (65_536, 16_384, 8_192, 4_096, 2_048, 1_024, 512, 128), "cpu": (512, 64, 32, 16)}
"""What is left beyond the network itself: the device's memory, or a process's address space.

With much less than 16 MiB a process crashes in code that does not expect to be refused any."""

BATCH = 16
"""At least: of a small network fewer take next to nothing."""


def check(setting: Setting) -> Iterator[Row]:
    """The largest batch with less and less memory."""
    segmenter, batch = make_segmenter(setting, backends(setting)[0]), max(BATCH, *setting.batches)
    images = photos(setting, batch)
    if setting.device == "cpu":
        segmenter.masks(images[:1], 1)  # libraries are loaded and threads started before there is no room for them
    for room in ROOM_MIB[setting.device]:
        segmentation = Segmentation(segmenter, batch)
        with limited(segmenter, room):
            answers = segmentation(images)
        yield {
            "room_mib": room,
            "batch": batch,
            "batch_kept": segmentation.batch,
            "masks": sum(not isinstance(answer, DeviceOomError) for answer in answers),
            "device_oom": sum(isinstance(answer, DeviceOomError) for answer in answers),
        }


@contextmanager
def limited(segmenter: PromptedSegmenter, room_mib: int) -> Iterator[None]:
    """Let this process have so much memory beyond what it has."""
    if segmenter.device == "cuda":
        cuda = segmenter.torch.cuda
        cuda.empty_cache()
        total = cuda.get_device_properties(0).total_memory
        cuda.set_per_process_memory_fraction(min(1.0, (cuda.memory_reserved() + (room_mib << 20)) / total))
        try:
            yield
        finally:
            cuda.set_per_process_memory_fraction(1.0)
        return
    ctypes.CDLL(None).malloc_trim(0)  # what is free in this process would be taken before the limit is felt
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (room_mib << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
