"""The segmenter of one device: asked with several pictures at a time, with fewer where its memory runs out."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relight_assets.errors import DeviceOomError, DeviceOutOfMemoryError

Pixels = NDArray[np.uint8]
Probability = NDArray[np.float32]


class Segmenter(Protocol):
    """A network that says which pixels are a person."""

    def probabilities(self, pictures: Sequence[Pixels]) -> list[Probability]:
        """(h, w) float32 in 0..1 for each (H, W, 3) uint8 sRGB picture.

        Raises:
            DeviceOutOfMemoryError: not with so many at a time.
            DeviceFailedError: not in this process any more.
        """


class Segmentation:
    """Asks the segmenter from one thread at a time, with at most ``batch`` pictures."""

    def __init__(self, segmenter: Segmenter, batch: int, on_shrink: Callable[[int], None] = lambda _: None):
        self.batch = batch
        self.on_shrink = on_shrink
        self._segmenter = segmenter
        self._lock = threading.Lock()

    def __call__(self, pictures: Sequence[Pixels]) -> list[Probability | DeviceOomError]:
        """The answer for each picture, or why it has none.

        Where memory runs out the pictures are asked for again in halves.  If that helps, the smaller number
        is kept for good; if one picture does not even fit alone, it and not the number is to blame.

        Raises:
            DeviceFailedError: the process can compute no more.
        """
        with self._lock:
            answers: list[Probability | DeviceOomError] = []
            while len(answers) < len(pictures):
                answers += self._ask(pictures[len(answers) : len(answers) + self.batch])
            return answers

    def _ask(self, pictures: Sequence[Pixels]) -> list[Probability | DeviceOomError]:
        try:
            return list(self._segmenter.probabilities(pictures))
        except DeviceOutOfMemoryError as error:
            if len(pictures) == 1:
                height, width = pictures[0].shape[:2]
                return [
                    DeviceOomError(
                        f"the device's memory does not hold this picture ({width}x{height}) even alone: {error}"
                    )
                ]
        half = (len(pictures) + 1) // 2
        answers = [*self._ask(pictures[:half]), *self._ask(pictures[half:])]
        if half < self.batch and not any(isinstance(answer, DeviceOomError) for answer in answers):
            self.batch = half
            self.on_shrink(half)
        return answers
