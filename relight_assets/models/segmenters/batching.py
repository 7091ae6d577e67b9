"""The segmenter of one device: asked with several images at a time, with fewer where its memory runs out."""

import threading
from collections.abc import Callable, Sequence

from relight_assets.core.arrays import Rgb8
from relight_assets.errors import DeviceOomError, DeviceOutOfMemoryError
from relight_assets.models.segmenters.base import Segmenter
from relight_assets.stages.masks.person_mask import PersonMask


class Segmentation:
    """Asks the segmenter from one thread at a time, with at most ``batch`` images."""

    def __init__(self, segmenter: Segmenter, batch: int, on_shrink: Callable[[int], None] = lambda _: None):
        self.batch = batch
        self.on_shrink = on_shrink
        self._segmenter = segmenter
        self._lock = threading.Lock()

    def __call__(self, images: Sequence[Rgb8]) -> list[PersonMask | DeviceOomError]:
        """The answer for each image, or why it has none.

        Where memory runs out the images are asked for again in batches of half the size.  If that helps, the
        smaller size is kept for good; if an image does not even fit alone, it and not the size is to blame.

        Raises:
            DeviceFailedError: the process can compute no more.
        """
        with self._lock:
            answers: list[PersonMask | DeviceOomError] = []
            while len(answers) < len(images):
                answers += self._ask(images[len(answers) : len(answers) + self.batch], self.batch)
            return answers

    def _ask(self, images: Sequence[Rgb8], batch: int) -> list[PersonMask | DeviceOomError]:
        try:
            return list(self._segmenter.masks(images, batch))
        except DeviceOutOfMemoryError as error:
            if batch == 1:
                height, width = images[0].shape[:2]
                return [
                    DeviceOomError(
                        f"the device's memory does not hold this image ({width}x{height}) even alone: {error}"
                    )
                ]
        half = (batch + 1) // 2
        parts = [images[start : start + half] for start in range(0, len(images), half)]
        answers = [answer for part in parts for answer in self._ask(part, half)]
        if half < self.batch and not any(isinstance(answer, DeviceOomError) for answer in answers):
            self.batch = half
            self.on_shrink(half)
        return answers
