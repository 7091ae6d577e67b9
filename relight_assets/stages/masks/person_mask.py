"""What a segmenter answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PersonMask:
    """Where the person is in one photo."""

    probability: NDArray[np.float32]
    """(h, w) float32 in 0..1 over the whole photo, of any size and aspect; all 0 where nobody was found."""
    scores: tuple[float, ...] | None = None
    """In 0..1, of each person that was found, best first; None: the network does not tell persons apart."""
    best_score: float | None = None
    """Of the best candidate, found or not; None as above."""
    evidence: NDArray[np.float32] | None = None
    """(h, w) float32 in 0..1, by which it is judged whether there is a person at all; None: by ``probability``."""
    cells: tuple[int, int] | None = None
    """Rows and columns in which the network answered, if ``probability`` is that enlarged."""
