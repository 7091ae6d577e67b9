"""Level squares of a photo, as the networks of faces and eyes want them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.models.faces.detection import shrunk_by_whole


@dataclass(frozen=True)
class Crop:
    """A square of a photo, in its pixels; pixel centres have whole coordinates."""

    centre: NDArray[np.float64]
    """(2,): x, y."""
    side: float
    roll: float
    """By which it is turned, radians, positive is clockwise on screen."""

    def of_image(self, local: NDArray[np.float64], side: int) -> NDArray[np.float64]:
        """Where (N, 2) points of the square are in the photo, once it has ``side`` pixels."""
        return (local - side / 2) * (self.side / side) @ rotation(self.roll).T + self.centre


def rotation(angle: float) -> NDArray[np.float64]:
    """The (2, 2) matrix that turns by an angle, radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def level_square(rgb: NDArray[np.uint8], crop: Crop, side: int) -> NDArray[np.float32]:
    """Cut a square out of an (H, W, 3) uint8 image: (side, side, 3) float32 in 0..1, black beyond the image."""
    # Large ones are first shrunk by area: sampling every fourth pixel of a sharp photo would hand
    # noise to the network.
    height, width = rgb.shape[:2]
    reach = crop.side * 0.75
    left, top = (max(0, int(np.floor(c - reach))) for c in crop.centre)
    right, bottom = (min(end, int(np.ceil(c + reach)) + 1) for end, c in zip((width, height), crop.centre, strict=True))
    if right <= left or bottom <= top:
        return np.zeros((side, side, 3), dtype=np.float32)
    factor = max(1, min(int(crop.side / side), right - left, bottom - top))
    part = shrunk_by_whole(rgb[top:bottom, left:right], factor)
    # Pixel (u, v) shows the image at centre + R ((u, v) + 0.5 - side / 2) * crop.side / side; the part's
    # pixel (i, j) stands at (left, top) + ((i, j) + 0.5) * factor - 0.5.
    linear = rotation(crop.roll) * (crop.side / side)
    offset = crop.centre + linear @ np.full(2, 0.5 - side / 2)
    matrix = np.column_stack([linear, offset - (left, top) + 0.5]) / factor
    matrix[:, 2] -= 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(part, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return square.astype(np.float32) / 255.0
