"""Irises and lids: MediaPipe Iris (the model card "MediaPipe Iris", Apache-2.0).

Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.  The network looks at one
eye of a face mesh, and knows the person's left eye alone; the other is shown to it in a mirror.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relight_assets.models.faces.crops import Crop, level_square
from relight_assets.models.runtimes.litert import Network

SIDE = 64
MARGIN = 2.3
"""Side of the square over the distance between the corners of the eye, as the network was trained."""
CORNERS = ((33, 133), (362, 263))
"""Mesh points at the corners of an eye, on the image's left, then on its right; the second one is mirrored."""
IRIS_POINTS = 5
"""Numbers of them: the centre, then four on the iris's outline."""
_LID = (0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 14, 13, 12, 11, 10, 9)
"""Those of the network's 71 points that go around the opening: the lower lid from the outer corner, then the upper."""
MIN_IRIS, IRIS_OF_EYE = 10.0, 0.5
"""Pixels of the iris's width below which an eye is left out, and that width over the eye's at most: .39 in the median
of 42 eyes, more where a head is turned."""


@dataclass(frozen=True)
class Eye:
    """One eye, in the pixels of the whole image; pixel centres have whole coordinates."""

    iris: NDArray[np.float32]
    """(5, 2) float32: the centre, then four points of the outline."""
    lids: NDArray[np.float32]
    """(16, 2) float32: the outline of the opening, from the outer corner along the lower lid and back."""


class EyeFinder:
    """Finds the irises and lids of a face."""

    def __init__(self, path: Path) -> None:
        """Load ``iris_landmark.tflite``."""
        self._network = Network(path)

    def eyes(self, rgb: NDArray[np.uint8], points: NDArray[np.float32]) -> list[Eye]:
        """The eyes of a face mesh (468, 3) in an (H, W, 3) uint8 image, the image's left one first.

        1.5 ms of one core for each.  Those whose iris must be less than ``MIN_IRIS`` pixels wide are left out.
        """
        return list(self._eyes(rgb, points))

    def _eyes(self, rgb: NDArray[np.uint8], points: NDArray[np.float32]) -> Iterator[Eye]:
        for mirrored, corners in zip((True, False), CORNERS, strict=True):
            first, second = points[list(corners), :2].astype(np.float64)
            dx, dy = second - first
            width = float(np.hypot(dx, dy))
            if IRIS_OF_EYE * width < MIN_IRIS:
                continue
            crop = Crop((first + second) / 2, MARGIN * width, float(np.arctan2(dy, dx)))
            square = level_square(rgb, crop, SIDE)
            iris, outline = sorted(
                self._network(square[:, ::-1] if mirrored else square), key=lambda output: output.size
            )
            local = np.concatenate([part.reshape(-1, 3)[:, :2] for part in (iris, outline)]).astype(np.float64)
            if mirrored:
                local[:, 0] = SIDE - local[:, 0]
            flat = crop.of_image(local, SIDE).astype(np.float32)
            yield Eye(flat[:IRIS_POINTS], flat[IRIS_POINTS:][list(_LID)])
