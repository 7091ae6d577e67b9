"""A solved alpha at the photo's size, by the photo's own colours."""

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Mask, Plane, Rgb8
from relight_assets.stages.foreground_color import at_edge, sample
from relight_assets.stages.masks.matting.closed_form import Matte

STRETCH = (0.1, 0.8)
"""Solved alpha that is taken for 0 and 1: a solved edge is wider than a real one, and lies .1 to 1.6 px inside it."""
GRAIN_SCALE = 10.0
"""For its grain a photo is blurred over 1 pixel, and 2 more for every so many times that it is larger than what alpha
was solved at (rounded): over 3 pixels from 2,600 on, over 5 from 7,700 on."""


def enlarged(matte: Matte, rgb: Rgb8, person: Mask, narrow: Mask) -> Gray8:
    """Bring a solved alpha to the photo's size: never beyond what its neighbours have, so grain does not become alpha.

    Args:
        matte: solved at a smaller size, (h, w).
        rgb: (H, W, 3) uint8 sRGB photo.
        person: (h, w) bool, what is the person where alpha was not solved for.
        narrow: (h, w) bool, where it was.

    Returns:
        (H, W) uint8.
    """
    height, width = rgb.shape[:2]
    known = person.view(np.uint8) * np.uint8(255)
    alpha = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    where = cv2.resize(narrow.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    soft = np.flatnonzero(where.view(np.bool_))
    if not soft.size:
        return alpha
    low, high = STRETCH
    around = np.ones((3, 3), np.uint8)
    ends = cv2.merge([cv2.erode(matte.alpha, around), cv2.dilate(matte.alpha, around)])
    models, limits = sample(matte.models, alpha.shape, soft), sample(ends, alpha.shape, soft)
    side = 1 + 2 * round(max(height, width) / max(person.shape) / GRAIN_SCALE)
    seen = rgb if side == 1 else cv2.blur(rgb, (side, side))
    found = np.einsum("nc,nc->n", models[:, :3], at_edge(seen, soft)) + models[:, 3]
    np.clip(found, limits[:, 0], limits[:, 1], out=found)
    alpha.ravel()[soft] = _to_levels((found - np.float32(low)) * np.float32(255 / (high - low)))
    return alpha


def _to_levels(values: Plane) -> Gray8:
    # Rounded half to even and saturated; the last two levels on either side are sure enough.
    levels = np.arange(256, dtype=np.uint8)
    levels[:2], levels[254:] = 0, 255
    # As a row: OpenCV takes four numbers or fewer for one color, and gives four back.
    return levels[cv2.add(values[None], 0.0, dtype=cv2.CV_8U).ravel()]
