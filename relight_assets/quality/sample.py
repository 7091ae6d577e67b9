"""The images that the statistics of a large split are taken of: a random sample, the same every time."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_IMAGES = 20_000
"""Of so many, a share is known within .7 percentage points, with 95 % certainty."""
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))


@dataclass(frozen=True)
class Sample:
    """Some of the images of a split, or all of them where there are few."""

    numbers: frozenset[int]
    images: int
    """How many images there are."""

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Sample":
        """Of the images with these numbers, at most ``SAMPLE_IMAGES``.

        Each number has its own place in one random order, so images that are added to a split hardly change the sample.
        """
        every = np.unique(np.fromiter(numbers, np.int64))
        if len(every) <= SAMPLE_IMAGES:
            return cls(frozenset(every.tolist()), len(every))
        order = _mixed(every)
        return cls(frozenset(every[np.argpartition(order, SAMPLE_IMAGES)[:SAMPLE_IMAGES]].tolist()), len(every))

    def __contains__(self, number: object) -> bool:
        """Whether an image belongs to it."""
        return number in self.numbers

    @property
    def scale(self) -> float:
        """By what a sum over the sample is multiplied to estimate that over all images."""
        return self.images / len(self.numbers) if self.numbers else 1.0

    @property
    def note(self) -> str | None:
        """Of what statistics are, as one says it beside them; None: of all images."""
        count = len(self.numbers)
        return f"of a random sample of {count:,} of {self.images:,} images" if count < self.images else None


def _mixed(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A random number for each (N,) number, by itself: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * _STEP  # modulo 2^64, as all of this
    for shift, factor in _ROUNDS:
        mixed = (mixed ^ (mixed >> shift)) * factor
    return mixed ^ (mixed >> np.uint64(31))
