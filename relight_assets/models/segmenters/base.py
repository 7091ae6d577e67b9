"""What every segmenter answers, whichever network it is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relight_assets.stages.masks.person_mask import PersonMask


class Segmenter(Protocol):
    """A network that says which pixels are a person."""

    def masks(self, images: Sequence[NDArray[np.uint8]], batch: int) -> list[PersonMask]:
        """The answer for each (H, W, 3) uint8 sRGB image; they may differ in size.

        A network that takes several images at a time is given exactly ``batch``, the last time filled up with
        blank ones: so what else happens to be waiting does not change an answer.

        Raises:
            DeviceOutOfMemoryError: not with so many at a time.
            DeviceFailedError: not in this process any more.
        """
