"""The colours of person and background around a pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.stages.masks.matting.sizes import scaled

HALF = 2
"""Colour statistics are made at a size so much smaller: they are means of 40 pixels."""
NEAR_RADIUS = 20
"""Half the side of the window that local colours are taken from."""
GRAIN = 6.0
"""Lab levels of spread that are always granted."""
LIKE = 3.0
"""Standard deviations within which a colour is like its surroundings."""
LEAST_NEAR = 20
"""Pixels, at half the size, that a window must hold of either side."""


@dataclass(frozen=True)
class Surroundings:
    """The colours of one side around each pixel: sums over windows, at a reduced size."""

    colors: Plane
    """(n, 3) float32: of the colours."""
    squares: Plane
    """(n, 3) float32: of their squares."""
    count: Plane
    """(n,) float32: of pixels."""

    def at(self, places: NDArray[np.intp]) -> "Surroundings":
        """Those of some pixels."""
        return Surroundings(self.colors.take(places, 0), self.squares.take(places, 0), self.count.take(places))

    def off(self, lab: Plane) -> Plane:
        """How many standard deviations the pixels' own colours, (n, 3), are off; squared, (n,)."""
        share = 1 / np.maximum(self.count, 1)[:, None]
        means = self.colors * share
        spread = self.squares * share
        spread -= means * means
        np.maximum(spread, 0, out=spread)
        spread += np.float32(GRAIN**2)
        differences = lab - means
        return np.einsum("nc,nc->n", differences, differences / spread)


def surroundings(small: Plane, side: Plane, radius: int) -> Surroundings:
    """Take them of (h, w, 3) float32 colours with an (h, w) float32 weight of 0 or 1."""
    window = (2 * radius + 1, 2 * radius + 1)
    weighted = small * cv2.merge([side] * 3)
    sums = [
        cv2.boxFilter(plane, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in (weighted, weighted * small, side)
    ]
    return Surroundings(sums[0].reshape(-1, 3), sums[1].reshape(-1, 3), sums[2].ravel())


def local_likeness(
    lab: NDArray[np.uint8], sure_person: Mask, sure_back: Mask, places: NDArray[np.intp]
) -> tuple[Mask, Mask, Mask]:
    """Whether there is enough of both sides around some places, and whether colours are like either side's.

    Of the person, what looks like the background is left out: it may be that.

    Returns:
        (N,) bool: enough, like the person, like the background.
    """
    height, width = sure_person.shape
    size = (max(1, width // HALF), max(1, height // HALF))
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    person, back = (
        cv2.resize(side.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
        for side in (sure_person, sure_back)
    )
    radius = max(1, scaled(NEAR_RADIUS, sure_person.shape) // HALF)
    behind = surroundings(small, back, radius)
    like = (behind.off(small.reshape(-1, 3)) < 2 * LIKE**2) & (behind.count > LEAST_NEAR)
    before = surroundings(small, person * ~like.reshape(person.shape), radius)
    rows, columns = np.divmod(places, width)
    at = np.minimum(rows // HALF, size[1] - 1) * size[0] + np.minimum(columns // HALF, size[0] - 1)
    here = lab.reshape(-1, 3).take(places, 0).astype(np.float32)
    before, behind = before.at(at), behind.at(at)
    enough = (behind.count > LEAST_NEAR) & (before.count > LEAST_NEAR)
    return enough, before.off(here) < LIKE**2, behind.off(here) < LIKE**2
