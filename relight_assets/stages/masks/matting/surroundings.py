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

    @property
    def means(self) -> Plane:
        """(n, 3): of the colours; 0 where there are none."""
        return self.colors * np.divide(1, np.maximum(self.count, 1), dtype=np.float32)[:, None]

    def at(self, places: NDArray[np.intp]) -> "Surroundings":
        """Those of some pixels."""
        return Surroundings(self.colors.take(places, 0), self.squares.take(places, 0), self.count.take(places))

    def off(self, lab: Plane) -> Plane:
        """How many standard deviations the pixels' own colours, (n, 3), are off; squared, (n,)."""
        means = self.means
        spread = self.squares * (1 / np.maximum(self.count, 1))[:, None]
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


@dataclass(frozen=True)
class LocalColors:
    """The colours of both sides around N places, and how far each place's own colour is off."""

    enough: Mask
    """(N,) bool: the window holds enough of both."""
    off_person: Plane
    """(N,) float32: standard deviations from the person's mean, squared."""
    off_back: Plane
    """(N,) float32: standard deviations from the background's mean, squared."""
    sides: tuple[Plane, Plane]
    """(n, 3) float32 each, at the reduced size: the mean of the half of the person's colours that is less like the
    background, and the mean of the background's."""
    cells: NDArray[np.intp]
    """(N,): the places in these."""

    def sides_at(self, some: NDArray[np.intp]) -> tuple[Plane, Plane]:
        """The colours of both sides, (M, 3) each, around M of the places."""
        person, back = (side.take(self.cells.take(some), 0) for side in self.sides)
        return person, back


def local_colors(lab: NDArray[np.uint8], sure_person: Mask, sure_back: Mask, places: NDArray[np.intp]) -> LocalColors:
    """Compare the colours of N places, numbers of pixels, with both sides around them.

    Of the person, what looks like the background is left out: it may be that.
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
    person *= ~like.reshape(person.shape)
    before = surroundings(small, person, radius)
    of_back = behind.means
    sides = _far_half(small, person, before.means, of_back, radius), of_back
    rows, columns = np.divmod(places, width)
    at = np.minimum(rows // HALF, size[1] - 1) * size[0] + np.minimum(columns // HALF, size[0] - 1)
    here = lab.reshape(-1, 3).take(places, 0).astype(np.float32)
    before, behind = before.at(at), behind.at(at)
    return LocalColors(
        enough=(behind.count > LEAST_NEAR) & (before.count > LEAST_NEAR),
        off_person=before.off(here),
        off_back=behind.off(here),
        sides=sides,
        cells=at,
    )


def _far_half(small: Plane, person: Plane, means: Plane, of_back: Plane, radius: int) -> Plane:
    """(n, 3): around each pixel, the mean of the person's colours that are farther than average from the background's.

    The mean of all of them would be half background where a wedge of that was taken for the person.
    """
    beyond = np.einsum("nc,nc->n", small.reshape(-1, 3) - means, of_back - means) < 0
    weight = person * beyond.reshape(person.shape)
    window = (2 * radius + 1, 2 * radius + 1)
    colors, count = (
        cv2.boxFilter(plane, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in (small * cv2.merge([weight] * 3), weight)
    )
    far = colors.reshape(-1, 3)
    far *= (1 / np.maximum(count, 1)).reshape(-1, 1)
    np.copyto(far, means, where=count.reshape(-1, 1) <= LEAST_NEAR)
    return far
