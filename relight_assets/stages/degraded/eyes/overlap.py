"""How much of what an eye mirrored in the photo is still at its place under another light."""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Rgb8, Rgba8
from relight_assets.stages.degraded.eyes.own_lights import IRIS, ClearEye

BRIGHTEST = 0.05
"""Share of the iris's pixels that are its brightest."""
FEWEST = 3
"""Of them, at least."""


def overlaps(foreground: Rgba8, degraded: Rgba8, eyes: Sequence[ClearEye]) -> list[float]:
    """The same-place overlap of each eye that shows a catch-light in the photo, 0..1.

    Of the iris between the lids the brightest 5 % of the pixels are taken, by the sum of R, G and B: once of the photo,
    once of the degraded person.  The overlap is the share of the first that are among the second.

    Args:
        foreground: (H, W, 4) uint8 RGBA of the photo's person.
        degraded: the same of the relit one.
        eyes: those of the photo that are seen well enough.
    """
    found = []
    for each in eyes:
        if not each.catch_lights.any():
            continue
        rows, columns = (part.stop - part.start for part in each.eye.box)
        distance, opening = (
            cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_LINEAR)
            for plane in (each.eye.distance, each.eye.opening)
        )
        iris = (distance < IRIS) & (opening > 0.5)
        count = max(FEWEST, round(BRIGHTEST * np.count_nonzero(iris)))
        before, after = (_brightest(image[each.eye.box][iris], count) for image in (foreground, degraded))
        found.append(len(before & after) / len(before))
    return found


def _brightest(pixels: Rgb8, count: int) -> set[int]:
    """Numbers of the brightest of (N, 4) pixels; of those that are alike the first."""
    brightness = pixels[:, :3].sum(axis=1, dtype=np.int32)
    return set(np.argsort(-brightness, kind="stable")[:count].tolist())
