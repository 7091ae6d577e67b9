"""A ball of skin under a known light."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.source_light.face_points import FacePoints, face_points

SIDE = 120
RADIUS = 50.0
SKIN = (0.42, 0.24, 0.17)
Color = tuple[float, float, float]
WHITE: Color = (1.0, 1.0, 1.0)


def shape() -> dict[str, Any]:
    """Height, normals and face of the ball, as :func:`face_points` takes them."""
    y, x = (np.mgrid[:SIDE, :SIDE].astype(np.float32) - SIDE / 2) / np.float32(RADIUS)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0)).astype(np.float32)
    return {"height": z * np.float32(RADIUS), "normals": (x, y, z), "on_face": z > 0.4, "face_height": 1.8 * RADIUS}


def photo_of(light: Direction, *, fill: float = 0.15, key_color: Color = WHITE, fill_color: Color = WHITE) -> Any:
    """The ball, (120, 120, 3) float32 linear, under a lamp and what comes from all around."""
    x, y, z = shape()["normals"]
    lamp = np.maximum(x * light.x + y * light.y + z * light.z, 0)[..., None] * np.array(key_color)
    # Skin that looks down is darker, as faces are: the estimate makes up for it.
    surface = np.exp(-0.2 * y)[..., None] * np.array(SKIN)
    return (0.7 * surface * (lamp + fill * np.array(fill_color))).astype(np.float32)


def points_of(photo: NDArray[np.float32]) -> FacePoints:
    found = face_points(photo, np.ones(photo.shape[:2], np.float32), **shape())
    assert found is not None
    return found
