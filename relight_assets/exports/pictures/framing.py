"""Which part of a photo is exported, and at what size: the same for target, condition and mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.datasets.exports import ExportOptions
from relight_assets.core.arrays import Gray8
from relight_assets.errors import UserError
from relight_assets.exports.base import Framing, Size

SURE = 127
"""Alpha above which a pixel counts as the person when a crop is centred."""


def out_size(size: Size, options: ExportOptions) -> Size:
    """Width and height of what is exported of pictures of a size.

    Raises:
        UserError: nothing is left, because a side is shorter than ``multiple_of``.
    """
    if options.resolution == "source":
        return size
    width, height = _reduced(size, options)
    multiple = options.multiple_of
    cropped = width - width % multiple, height - height % multiple
    if min(cropped) == 0:
        raise UserError(f"{width} x {height} pixels are too few for sides that are multiples of {multiple}")
    return cropped


def _reduced(size: Size, options: ExportOptions) -> Size:
    longest = max(size)
    if isinstance(options.resolution, str) or longest <= options.resolution:
        return size
    scale = options.resolution / longest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def framing_of(alpha: Gray8, options: ExportOptions) -> Framing:
    """The part of pictures that is exported: as much as fits multiples, around the middle of the person.

    Args:
        alpha: (H, W) uint8, of the person.
        options: of the export.

    Raises:
        UserError: as :func:`out_size`.
    """
    size = alpha.shape[1], alpha.shape[0]
    out = out_size(size, options)
    if out == size:
        return Framing(size, 0, 0, *size, out)
    reduced = _reduced(size, options)
    # In pixels of the picture itself: it is cut first and reduced after, so that no pixel is read twice.
    width = min(size[0], round(out[0] * size[0] / reduced[0]))
    height = min(size[1], round(out[1] * size[1] / reduced[1]))
    x, y, w, h = cv2.boundingRect((alpha > SURE).astype(np.uint8))
    middle = (x + w / 2, y + h / 2) if w else (size[0] / 2, size[1] / 2)
    left = min(max(round(middle[0] - width / 2), 0), size[0] - width)
    top = min(max(round(middle[1] - height / 2), 0), size[1] - height)
    return Framing(size, left, top, width, height, out)


def framed(image: NDArray[np.uint8], framing: Framing) -> NDArray[np.uint8]:
    """The part of a picture, (H, W) or (H, W, C) uint8, at its exported size."""
    part = image[framing.top : framing.top + framing.height, framing.left : framing.left + framing.width]
    if (framing.width, framing.height) == framing.out:
        return np.ascontiguousarray(part)
    reduced: NDArray[np.uint8] = cv2.resize(part, framing.out, interpolation=cv2.INTER_AREA)
    return reduced
