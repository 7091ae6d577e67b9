"""Where the skin of a face's person is: face, ears, neck and hands, by the colour of that person's own face.

The model is the median of ln R/G and ln B/G over the mesh and an ellipse around it, as wide as that face's colours
vary, which they do more where skin is dark: one rule for all skins.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.stages.albedo.materials.face import Face
from relight_assets.stages.albedo.materials.filters import ramp, weighted_mean
from relight_assets.stages.albedo.materials.person import FACE_HEIGHT, Person, saturation
from relight_assets.stages.quantiles import median

SURE_MARGIN = 0.04
"""What is so near the hull's edge is not surely skin, in units of the face's height."""
FEWEST = 60
"""Pixels of sure skin without which there is no model."""
ENOUGH = 3000
"""Pixels of sure skin that are enough for a median."""
MODEL_STOPS = (-1.4, 0.8)
"""Of the face's median: darker skin is noise, lighter skin a highlight; neither says the colour."""
KEPT_PERCENT = 92
"""Colours nearest the median that the ellipse is measured on."""
SPREAD = 1.6
"""Factor of their covariance: chroma varies more over neck and hands."""
LEAST_SPREAD = (0.05, 0.06)
"""Standard deviation of ln R/G and ln B/G that any skin has."""
DARKEST = (-2.9, -1.7)
"""Stops under the face's median that are no skin, and that may be."""
LIGHTEST = (2.2, 3.0)
"""Stops above it that may be skin beside the face, and that are none."""
LIT = (-0.8, -0.2)
"""Inside the hull what is lighter is skin whatever its colour (sheen, make-up); only what is darker is asked for it."""
PAINT = (0.05, 0.2)
"""Unless it is more saturated than skin by so much: then it is painted."""
HAIR = (1.0, 2.2)
"""Stops under the face's median at which what is no skin begins to be, and is, hair or beard or a frame."""
INNER_REACH, OUTER_REACH = 14.0, 5.0
"""Squared Mahalanobis distance at which a colour is half skin, inside the hull and far from it."""
NEAR, NEAR_REACH = 1.2, 3.0
"""Distance from the hull, heights, up to which skin is likelier, and by how much that widens the reach."""
TEXTURE = 0.42
"""Deviation of log2 luminance within .03 heights, stops, at which what has skin's colour is half hair."""
BELOW, EARS = (0.75, 1.0), (0.12, 0.24)
"""How far down the face's axis skin may be anywhere (neck, hands), and how far from its hull, heights, above that."""
SHEEN = 0.9
"""Stops above the face's median from which skin may have any colour, where it goes on from skin without an edge."""
SMOOTH = 0.6
"""Change of log2 luminance between neighbours' neighbours that is no edge, stops, at :data:`FACE_HEIGHT`."""
FOREHEAD = 0.3
"""How far down the face's axis that is asked."""
GROWN = 0.25
"""How far it may go on from the hull, heights."""


@dataclass(frozen=True)
class Skin:
    """The skin of one face's person."""

    face: Face
    weight: Plane
    """How surely a pixel is bare skin, 0..1."""
    sure: Mask
    """Where it is the face's skin: anchors are medians over it."""
    some: NDArray[np.intp]
    """Enough of its pixels for a median, as places in a plane that is one row."""
    level: float
    """Median of log2 luminance over it."""
    color: tuple[float, float]
    """Medians of ln R/G and ln B/G."""
    distance: Plane
    """Squared Mahalanobis distance of each colour from the model."""

    def anchored(self, plane: Plane) -> float:
        """The median over the face's skin."""
        return float(median(plane.ravel()[self.some]))

    def hair(self, person: Person) -> Plane:
        """How surely a pixel inside the hull is hair, beard or a frame: no skin, and much darker than it."""
        dark = ramp(np.float32(self.level) - person.log_light, *HAIR) * (1 - self.weight)
        return dark * (1 - 0.5 * self.soft_features)

    @cached_property
    def blend(self) -> Plane:
        """How much a pixel is evened as skin, 0..1: all of the face, its features included; by skin beyond."""
        beyond = cv2.GaussianBlur(self.weight, (0, 0), max(0.8, 0.01 * self.face.height))
        return np.maximum(self.face.soft_hull(0.03), beyond)

    @cached_property
    def soft_features(self) -> Plane:
        """Eyes, brows and lips, 0..1."""
        return self.face.blurred(self.face.features.astype(np.float32), 0.01)


def find_skin(person: Person, face: Face) -> Skin | None:
    """The skin of a face's person; None where too little of the face is to be seen."""
    sure = (face.eroded(SURE_MARGIN) > 0) & (face.features == 0) & (person.inside > 0.9)
    if np.count_nonzero(sure) < FEWEST:
        return None
    some = np.flatnonzero(sure)
    some = some[:: max(1, some.size // ENOUGH)]
    level = float(median(person.log_light.ravel()[some]))
    relative = person.log_light - np.float32(level)
    color, inverse = _model(person, sure & (relative > MODEL_STOPS[0]) & (relative < MODEL_STOPS[1]))
    red, blue = (ratio - np.float32(middle) for ratio, middle in zip(person.log_ratios, color, strict=True))
    distance = inverse[0, 0] * red * red + 2 * inverse[0, 1] * red * blue + inverse[1, 1] * blue * blue
    hull = face.soft_hull(0.02)
    paint = ramp(person.saturation - saturation(*np.array(color, np.float32)), *PAINT)
    inner = np.maximum(1 / (1 + np.square(distance / INNER_REACH)), ramp(relative, *LIT) * (1 - paint))
    weight = hull * inner + (1 - hull) * _beside_face(person, face, relative, distance)
    weight = np.maximum(weight, _sheen(face, weight, relative))
    weight *= ramp(relative, *DARKEST) * person.inside * (face.features == 0)
    return Skin(face, weight, sure, some, level, color, distance)


def _model(person: Person, at: Mask) -> tuple[tuple[float, float], NDArray[np.float32]]:
    found = np.stack([ratio[at] for ratio in person.log_ratios], axis=1).astype(np.float64)
    middle = np.median(found, axis=0)
    apart = found - middle
    far = np.abs(apart).sum(axis=1)
    apart = apart[far <= np.percentile(far, KEPT_PERCENT)]
    mixed = float((apart[:, 0] * apart[:, 1]).mean())
    covariance = SPREAD * np.array([[np.square(apart[:, 0]).mean(), mixed], [mixed, np.square(apart[:, 1]).mean()]])
    covariance += np.diag(np.square(LEAST_SPREAD))
    return (float(middle[0]), float(middle[1])), np.linalg.inv(covariance).astype(np.float32)


def _beside_face(person: Person, face: Face, relative: Plane, distance: Plane) -> Plane:
    # By colour and texture.
    near = np.clip(1 - face.outward * np.float32(1 / NEAR), 0, 1)
    colored = 1 / (1 + (distance / (OUTER_REACH + NEAR_REACH * near)) ** 3)
    # Of what has skin's colour: a dark hairline does not make the forehead beside it hair.
    around = weighted_mean(person.log_light, colored, 0.02 * face.height, 1e-2)
    detail = np.square(person.log_light - around)
    texture = np.sqrt(np.maximum(weighted_mean(detail, colored, 0.03 * face.height, 1e-2), 0))
    smooth = 1 / (1 + (texture / np.float32(TEXTURE)) ** 4)
    # Beside and above the face are ears and the top of the forehead, and then hair, which may have skin's colour.
    placed = np.maximum(ramp(face.downward, *BELOW), 1 - ramp(face.outward, *EARS))
    return placed * colored * (0.75 + 0.25 * near) * smooth * (1 - ramp(relative, *LIGHTEST))


def _sheen(face: Face, weight: Plane, relative: Plane) -> Plane:
    # What is brighter than skin and goes on from it without an edge: a white forehead, and not a white scarf beside it.
    small = np.ones((3, 3), np.uint8)
    step = cv2.dilate(relative, small) - cv2.erode(relative, small)
    smooth = step < np.float32(SMOOTH * FACE_HEIGHT / face.height)
    beside = (face.outward < GROWN) & (face.downward < FOREHEAD)  # further down are ears, scarfs and collars
    passable = (smooth & (relative > SHEEN) & beside).astype(np.uint8)
    grown = ((weight > 0.6) & (relative > SHEEN)).astype(np.uint8)
    for _ in range(round(GROWN * face.height)):
        grown |= cv2.dilate(grown, small) & passable
    return face.blurred(grown.astype(np.float32), 0.006)
