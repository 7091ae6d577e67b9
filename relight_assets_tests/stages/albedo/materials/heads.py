"""A made-up head with known skin, hair, cloth and light, and the mesh of its face."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import encode
from relight_assets.stages.albedo.materials.face import BROWS, CHIN, EYES, LIPS, TOP, Face
from relight_assets.stages.albedo.materials.person import Person, reduced

SIDE = 300
SKIN, DARK_SKIN = (0.52, 0.30, 0.21), (0.09, 0.045, 0.03)
HAIR, SHIRT = (0.020, 0.014, 0.010), (0.10, 0.14, 0.45)
EYE, BROW, LIP = (0.03, 0.03, 0.03), (0.04, 0.03, 0.02), (0.40, 0.13, 0.12)
PLACES = {
    EYES[0]: (0.60, 0.44, 0.045, 0.02),
    EYES[1]: (0.40, 0.44, 0.045, 0.02),
    BROWS[0]: (0.40, 0.37, 0.06, 0.012),
    BROWS[1]: (0.60, 0.37, 0.06, 0.012),
    LIPS: (0.50, 0.63, 0.07, 0.02),
}
"""Centre and half axes of each ring of mesh points, as shares of the side."""


@dataclass(frozen=True)
class Head:
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    points: NDArray[np.float32]
    """(468, 3) mesh."""
    paint: NDArray[np.float32]
    """(H, W, 3) linear, without light."""
    skin: NDArray[np.bool_]
    """Bare skin of the face."""
    hair: NDArray[np.bool_]

    @property
    def foreground(self) -> NDArray[np.uint8]:
        return np.dstack([np.where(self.alpha[..., None] > 0, self.rgb, 0), self.alpha]).astype(np.uint8)

    @cached_property
    def small(self) -> tuple[Person, Face]:
        person, (points,) = reduced(self.foreground[..., :3].copy(), self.alpha, [self.points])
        return person, Face(points, (person.inside.shape[0], person.inside.shape[1]))

    def at(self, plane: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Values of a plane of the reduced person where something is in the picture."""
        size = plane.shape[1::-1]
        return plane[cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99]


def head(
    light: NDArray[np.float32] | float = 1.0,
    *,
    skin: tuple[float, float, float] = SKIN,
    sheen: float = 0.0,
    hair: tuple[float, float, float] = HAIR,
    gray: bool = False,
    collar: tuple[float, float, float] | None = None,
) -> Head:
    """A head lit by (H, W) ``light``, with a white highlight of ``sheen`` on its forehead, in a high ``collar``."""
    y, x = (np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5) / SIDE
    face = _ellipse(x, y, (0.5, 0.47, 0.22, 0.30))
    scalp = _ellipse(x, y, (0.5, 0.42, 0.30, 0.36))
    body = (y > 0.80) & (np.abs(x - 0.5) < 0.45)
    neck = (np.abs(x - 0.5) < 0.13) & (y > 0.6) & (y < 0.85)
    paint = np.zeros((SIDE, SIDE, 3), np.float32)
    for where, color in ((scalp, hair), (body, SHIRT), (neck, skin), (face, skin)):
        paint[where] = color
    if collar is not None:
        paint[(y > 0.66) & (body | neck | scalp) & ~face] = collar
    features = np.zeros_like(face)
    for ring, place in PLACES.items():
        inside = _ellipse(x, y, place)
        features |= inside
        paint[inside] = LIP if ring is LIPS else BROW if ring in BROWS else EYE
    if gray:
        paint[:] = (paint @ np.float32([0.2126, 0.7152, 0.0722]))[..., None]
    grain = np.random.default_rng(1).normal(1, 0.03, (SIDE, SIDE, 1)).astype(np.float32)
    spot = np.exp(-((x - 0.5) ** 2 + (y - 0.28) ** 2) / (2 * 0.035**2))[..., None] * np.float32(sheen) * face[..., None]
    lit = paint * grain * (np.float32(light) if np.isscalar(light) else light[..., None]) + spot
    alpha = ((face | scalp | body | neck) * 255).astype(np.uint8)
    return Head(
        encode(np.clip(lit, 0, 1).astype(np.float32)),
        alpha,
        _mesh(),
        paint,
        face & ~cv2.dilate(features.astype(np.uint8), np.ones((9, 9))).astype(bool),
        scalp & ~face & ~neck & ~body,
    )


def side_light(dark: float = 0.35, width: float = 0.3) -> NDArray[np.float32]:
    """Light that falls from 1 on the left to ``dark`` on the right, over ``width`` of the side."""
    x = (np.mgrid[0:SIDE, 0:SIDE][1].astype(np.float32) + 0.5) / SIDE
    t = np.clip((x - 0.5) / width + 0.5, 0, 1)
    return (dark ** (t * t * (3 - 2 * t))).astype(np.float32)


def _ellipse(x, y, place):
    return ((x - place[0]) / place[2]) ** 2 + ((y - place[1]) / place[3]) ** 2 < 1


def _mesh():
    points = np.zeros((468, 3), np.float32)
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    # Not quite to the face's edge, as meshes are.
    points[:, 0], points[:, 1] = 0.5 + 0.20 * np.sin(angles), 0.49 + 0.25 * np.cos(angles)
    points[TOP, :2], points[CHIN, :2] = (0.5, 0.24), (0.5, 0.74)
    for ring, (cx, cy, rx, ry) in PLACES.items():
        turn = np.linspace(0, 2 * np.pi, len(ring), endpoint=False)
        points[list(ring), :2] = np.stack([cx + rx * np.cos(turn), cy + ry * np.sin(turn)], axis=1)
    points[:, :2] *= SIDE
    return points
