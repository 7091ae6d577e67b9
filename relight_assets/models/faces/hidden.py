"""A face that the networks find only once the photo is rotated, inverted or stretched.

The networks know upright positives of true proportions.  A photo whose EXIF orientation was lost, a negative, or one
that was squashed shows a person all the same: what is wrong with it can be said instead of "no person".
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.models.faces.detection import large_search_areas
from relight_assets.models.faces.mesh import FaceMesh, FaceMesher

SIDE = 384
"""Pixels of the longest side that is searched: large faces are found there as well as at full size."""


class Change(NamedTuple):
    """What was done to a photo before it was searched."""

    rotation: int = 0
    """Degrees counter-clockwise: 0, 90, 180 or 270."""
    inverted: bool = False
    """Whether the colours were inverted."""
    stretch: float = 1.0
    """Factor of the width."""


CHANGES = (Change(180), Change(90), Change(270), Change(inverted=True), Change(stretch=9 / 16), Change(stretch=16 / 9))
"""In the order in which they are tried."""


@dataclass(frozen=True)
class HiddenFace:
    """A face of a photo that was changed."""

    points: NDArray[np.float32]
    """(468, 3) float32, as the networks saw it: in the pixels of the changed, shrunk photo."""
    presence: float
    """The network's logit."""
    change: Change


def hidden_face(mesher: FaceMesher, rgb: NDArray[np.uint8], min_presence: float) -> HiddenFace | None:
    """Find a large face in a photo in which none was found as it is.

    Args:
        mesher: finds faces.
        rgb: (H, W, 3) uint8.
        min_presence: logit that it must be above.

    Returns:
        The first that one of ``CHANGES`` shows; None in 40 ms of one core where there is none.
    """
    small = _shrunk(rgb)
    for change in CHANGES:
        best = max(mesher.faces(_changed(small, change), large_search_areas), key=_presence, default=None)
        if best is not None and best.presence > min_presence:
            return HiddenFace(best.points, best.presence, change)
    return None


def _changed(rgb: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    rotated = np.ascontiguousarray(np.rot90(rgb, change.rotation // 90))
    if change.inverted:
        return np.invert(rotated)
    size = (max(1, round(rotated.shape[1] * change.stretch)), rotated.shape[0])
    return cv2.resize(rotated, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _presence(face: FaceMesh) -> float:
    return face.presence


def _shrunk(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = SIDE / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
