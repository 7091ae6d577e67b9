"""The edge of a face's hull: skin on both sides of it changes its color alike.

Inside, highlights are led to skin's color; if the forehead or the ear beside them were not, there would be a seam.
"""

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.filters import blurred, ramp, weighted_means
from relight_assets.stages.albedo.materials.person import COLOR_FLOOR, Person, saturation
from relight_assets.stages.albedo.materials.skin import Skin

INSIDE, OUTSIDE = (0.03, 0.09), (0.02, 0.08)
"""The bands on both sides in which changes are compared, heights from the edge."""
SKIN_COLOR = 9.0
"""Squared Mahalanobis distance up to which a color is surely skin's."""
SIGMA = 0.06
"""Along the edge, in units of the face's height, likewise."""
SKIN_BESIDE = (0.02, 0.08)
"""Share of the outer band that is skin at which there begins to be a seam, and is one."""
ALIKE, APART = 0.005, 0.02
"""Difference of ln R/G and ln B/G that is let be, and that is left by the inner side."""
JOINED, JOINED_BEYOND, JOINED_SIGMA = (0.07, 0.13), (0.08, 0.2), 0.1
"""Distances from the edge up to which changes are made one, and from which they are let be; sigma of their mean."""
SHEEN = (0.2, 0.45)
"""Saturation that a color lacks against the face's, as a share of that, from which it begins to be sheen, and is."""
BRIGHT = (1.2, 1.8)
"""Stops above the face's median from which what is pale begins to be sheen, and is."""
OUTER_SHARE = 0.1
"""Weight of the outer side in that mean: it is the inner side's color that has to change."""
GIVEN_UP = (0.08, 0.12)
"""Distances inside up to which the inner side gives up what is left, and from which it does not."""
REACH = 0.3
"""Distance from the hull, heights, that all of this is within."""


def join(person: Person, skin: Skin, changes: list[Plane]) -> list[Plane]:
    """Make the change of color on both sides of the hull's edge one.

    Args:
        person: at working size.
        skin: its skin.
        changes: of ln R/G and of ln B/G.

    Returns:
        The changes.
    """
    edge = _Edge(person, skin)
    near = edge.joined([change[edge.box] for change in changes])
    given_up = edge.given_up(near)
    found = [change.copy() for change in changes]
    for whole, part in zip(found, near, strict=True):
        whole[edge.box] = part * (1 - given_up)
    return found


class _Edge:
    """The planes around a face that say where its edge is, and where there is skin."""

    def __init__(self, person: Person, skin: Skin) -> None:
        face, height = skin.face, skin.face.height
        self.box = box = face.around(REACH)
        inward, outward = face.inward[box], face.outward[box]
        self.height, self.inward, self.outward, self.hull = height, inward, outward, face.hull[box].astype(np.float32)
        inside, distance, weight, rgb = person.inside[box], skin.distance[box], skin.weight[box], person.rgb[box]
        sure = (distance < SKIN_COLOR) * inside
        self.within = sure * ((inward > INSIDE[0]) & (inward < INSIDE[1]))
        band = ((outward > OUTSIDE[0]) & (outward < OUTSIDE[1])).astype(np.float32)
        self.beyond = sure * band
        over, under = (blurred(plane, SIGMA * height) for plane in (self.beyond, band))
        self.skin_beside = ramp(over / (under + np.float32(1e-3)), *SKIN_BESIDE)
        self.alike = inside / (1 + np.square(distance * np.float32(1 / SKIN_COLOR)))
        # Sheen is led to skin's color by itself; the mean of the skin around leaves it pale.
        usual = max(float(saturation(*np.array(skin.color, np.float32))), 0.05)
        pale = ramp(1 - person.saturation[box] * np.float32(1 / usual), *SHEEN)
        self.alike *= 1 - pale * ramp(person.log_light[box] - np.float32(skin.level), *BRIGHT)
        # In the dark, beside skin, a color changes less than it is told to.
        self.seen = [
            weight + (1 - weight) * rgb[..., channel] / (rgb[..., channel] + np.float32(COLOR_FLOOR))
            for channel in (0, 2)
        ]

    def joined(self, changes: list[Plane]) -> list[Plane]:
        """The changes, one and the same near the edge where they were not."""
        apart, _ = self._apart(changes)
        near = (1 - ramp(self.inward, *JOINED)) * (1 - ramp(self.outward, *JOINED_BEYOND))
        share = self.alike * near * (1 - np.minimum(1, np.float32(ALIKE) / (apart + np.float32(1e-3))))
        source = self.alike * (np.float32(OUTER_SHARE) + np.float32(1 - OUTER_SHARE) * self.hull)
        means = weighted_means(changes, source, JOINED_SIGMA * self.height, 1e-3)
        return [each + share * (mean - each) for each, mean in zip(changes, means, strict=True)]

    def given_up(self, changes: list[Plane]) -> Plane:
        """The share of its change that the inner side gives up, because the outer side could not follow."""
        apart, inner = self._apart(changes)
        over = np.clip((apart - np.float32(APART)) / np.maximum(inner, np.float32(1e-3)), 0, 1)
        over *= (1 - ramp(self.inward, *GIVEN_UP)) * (1 - ramp(self.outward, 0, 0.04))
        return blurred(over.astype(np.float32), 0.01 * self.height)

    def _apart(self, changes: list[Plane]) -> tuple[Plane, Plane]:
        # By how much both sides differ, where there is skin on both, and how much the inner one changes.
        told = [each * seen for each, seen in zip(changes, self.seen, strict=True)]
        inner, outer = (weighted_means(told, side, SIGMA * self.height) for side in (self.within, self.beyond))
        apart = cv2.magnitude(inner[0] - outer[0], inner[1] - outer[1])
        return self.skin_beside * apart, cv2.magnitude(inner[0], inner[1])
