"""What every segmenter answers, whichever network it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PersonMask:
    """Where the person is in one picture."""

    probability: NDArray[np.float32]
    """(h, w) float32 in 0..1 over the whole picture, of any size and aspect; all 0 where nobody was found."""
    scores: tuple[float, ...] | None = None
    """In 0..1, of each person that was found, best first; None: the network does not tell persons apart."""
    best_score: float | None = None
    """Of the best candidate, found or not; None as above."""
    cells: tuple[int, int] | None = None
    """Rows and columns in which the network answered, if ``probability`` is that enlarged."""


class Segmenter(Protocol):
    """A network that says which pixels are a person."""

    def masks(self, pictures: Sequence[NDArray[np.uint8]], batch: int) -> list[PersonMask]:
        """The answer for each (H, W, 3) uint8 sRGB picture; they may differ in size.

        A network that takes several pictures at a time is given exactly ``batch``, the last time filled up with
        blank ones: so what else happens to be waiting does not change an answer.

        Raises:
            DeviceOutOfMemoryError: not with so many at a time.
            DeviceFailedError: not in this process any more.
        """
