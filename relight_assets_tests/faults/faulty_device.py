"""Workers whose device is short of memory, breaks down, or is one of many."""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from relight_assets.core.arrays import Rgb8
from relight_assets.engine.execution.messages import ImageResult, Shrunk, WorkItem
from relight_assets.errors import DeviceFailedError, DeviceOutOfMemoryError
from relight_assets.models.segmenters.base import Segmenter
from relight_assets.stages.masks.person_mask import PersonMask
from relight_assets_tests.engine.nvidia import UUIDS
from relight_assets_tests.faults.faulty import FaultyWorker

TAKEN_FIRST = 8
"""Images that a worker has on its way before its segmenter answers, so that it is asked for several at a time."""


def _number(image: Rgb8) -> int:
    """The stock's number of a photo, which stands in its corner."""
    return int(image[0, 0, 0])


class SmallDevice(FaultyWorker):
    """Its device holds two images at a time, and never photo ``TOO_LARGE``.

    What it was asked for is listed beside the split's folder: a process id and a number of images per line.
    """

    HOLDS: ClassVar[int] = 2
    TOO_LARGE: ClassVar[int | None] = None

    def __init__(self, *, folder: Path, **settings: Any) -> None:
        super().__init__(folder=folder, **settings)
        self._asked = folder.parent / "asked"
        self._enough = threading.Event()
        segmentation = self.context.segmentation
        self._real: Segmenter = segmentation._segmenter
        segmentation._segmenter = self

    def process(self, items: Iterable[WorkItem]) -> Iterator[ImageResult | Shrunk]:
        return super().process(self._counted(items))

    def _counted(self, items: Iterable[WorkItem]) -> Iterator[WorkItem]:
        for count, item in enumerate(items, 1):
            if count >= TAKEN_FIRST or item.index >= TAKEN_FIRST:
                self._enough.set()
            yield item

    def masks(self, images: Sequence[Rgb8], batch: int) -> list[PersonMask]:
        if not self._asked.exists():
            self._enough.wait()
        with self._asked.open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()} {batch}\n")
        if batch > self.HOLDS or self.TOO_LARGE in map(_number, images):
            raise DeviceOutOfMemoryError("out of memory, as a test has it")
        return self._real.masks(images, batch)


class SmallDeviceAndALargePhoto(SmallDevice):
    """As its base, and photo 5 does not even fit alone."""

    HOLDS = 4
    TOO_LARGE = 5


class BreakingDevice(FaultyWorker):
    """Its device breaks down when it sees photo 5: the first time only, or always."""

    ALWAYS: ClassVar[bool] = False

    def __init__(self, *, folder: Path, **settings: Any) -> None:
        super().__init__(folder=folder, **settings)
        self._broke = folder.parent / "broke"
        self._broken = False
        segmentation = self.context.segmentation
        self._real: Segmenter = segmentation._segmenter
        segmentation._segmenter = self

    def masks(self, images: Sequence[Rgb8], batch: int) -> list[PersonMask]:
        assert not self._broken, "asked again in a process whose device is broken"
        if 5 in map(_number, images) and (self.ALWAYS or not self._broke.exists()):
            self._broke.touch()
            self._broken = True
            raise DeviceFailedError("device-side assert triggered, as a test has it")
        return self._real.masks(images, batch)


class DeviceBreaksAlways(BreakingDevice):
    """As its base, whenever it sees photo 5."""

    ALWAYS = True


class SecondIsLost(FaultyWorker):
    """The second GPU is lost while its worker loads; the first one's waits for that."""

    def __init__(self, *, folder: Path, **settings: Any) -> None:
        lost = folder.parent / "lost"
        if os.environ["CUDA_VISIBLE_DEVICES"] == UUIDS[1]:
            lost.touch()
            raise DeviceFailedError("torch cannot use the GPU: GPU is lost")
        while not lost.exists():
            time.sleep(0.02)
        super().__init__(folder=folder, **settings)


class OneOfEight(FaultyWorker):
    """Comes up when eight have signed the roll, so that no one does the work of the others."""

    def __init__(self, *, folder: Path, **settings: Any) -> None:
        roll = folder.parent / "roll"
        roll.mkdir(exist_ok=True)
        (roll / str(os.getpid())).write_text(os.environ["CUDA_VISIBLE_DEVICES"], encoding="ascii")
        while len(list(roll.iterdir())) < 8:
            time.sleep(0.02)
        super().__init__(folder=folder, **settings)
