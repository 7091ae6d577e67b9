"""The faces of a person, closer than the working size: highlights show the texture of skin, which light does not."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Points, Rgb8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.degraded.geometry.bare_skin import outline
from relight_assets.stages.degraded.geometry.head import Head

CLOSE_UP_SIDE = 640
"""Longest side of a close-up in pixels: pores of a face that fills it are two pixels wide."""


@dataclass(frozen=True)
class CloseUp:
    """The part of the working image with all faces, and that part of the photo at a size of its own.

    ``part`` is rows and columns in working pixels; ``photo_light`` (h, w) float32 is the photo's luminance, linear, at
    ``scale`` of its pixels per working pixel, at most :data:`CLOSE_UP_SIDE` a side.
    """

    part: tuple[slice, slice]
    photo_light: Plane
    scale: float

    def halved(self, photo_light: Plane) -> "CloseUp":
        """The same part at half the working size, for what has no detail; ``photo_light`` is at working size."""
        part = photo_light[self.part]
        size = (max(1, part.shape[1] // 2), max(1, part.shape[0] // 2))
        return CloseUp(self.part, cv2.resize(part, size, interpolation=cv2.INTER_AREA), size[0] / part.shape[1])

    def enlarged(self, plane: Plane) -> Plane:
        """That part of a plane at working size, at the size of the close-up."""
        return cv2.resize(plane[self.part], self.photo_light.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def reduced(self, plane: Plane) -> Plane:
        """A plane of the close-up at working size: that part alone."""
        rows, columns = self.part
        size = (columns.stop - columns.start, rows.stop - rows.start)
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA if self.scale > 1 else cv2.INTER_LINEAR)


def enlarged_part(part: tuple[slice, slice], shape: tuple[int, ...], full: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of a larger version of an image that show a part of it."""
    ends = [(round(s.start * f / n), round(s.stop * f / n)) for s, n, f in zip(part, shape, full, strict=False)]
    return slice(*ends[0]), slice(*ends[1])


def close_up(photo: Rgb8 | None, photo_light: Plane, faces: Sequence[Points], head: Head) -> CloseUp:
    """Take the part of the photo with all faces; with the head where there is none.

    Args:
        photo: (H, W, 3) uint8 sRGB, the same part of the photo as at working size, as large as it is; None: there is
            no larger one.
        photo_light: (h, w) float32, its luminance at working size, linear.
        faces: (468, 3) float32 meshes in working pixels.
        head: in working pixels.
    """
    shape = photo_light.shape
    corners = np.concatenate([outline(points) for points in faces]) if faces else _corners(head)
    low = np.floor(corners.min(axis=0) - 2).astype(int).clip(0, np.array(shape[::-1]) - 1)
    high = np.maximum(np.ceil(corners.max(axis=0) + 2).astype(int).clip(0, shape[::-1]), low + 1)
    part = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
    if photo is None or photo.shape[:2] == shape:
        return CloseUp(part, photo_light[part], 1.0)
    pixels = photo[enlarged_part(part, shape, photo.shape)]
    factor = min(1.0, CLOSE_UP_SIDE / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    if factor < 1:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if factor > 0.5 else cv2.INTER_AREA)
    light = luminance(decode(pixels))
    return CloseUp(part, light, light.shape[1] / (part[1].stop - part[1].start))


def _corners(head: Head) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    reach = max(head.half_width, head.half_height)
    return np.array([[head.x - reach, head.y - reach], [head.x + reach, head.y + reach]], np.float32)
