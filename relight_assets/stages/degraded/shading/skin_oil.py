"""Where on a face skin shines: forehead, nose, cheekbones and chin, which have most sebaceous glands."""

from collections.abc import Sequence

import numpy as np

from relight_assets.core.arrays import Plane, Points
from relight_assets.stages.degraded.geometry.bare_skin import face_height

SPOTS = (
    ((151, 9, 10, 108, 337), 1.0, 0.11),  # forehead
    ((6, 197, 195, 5), 1.0, 0.05),  # bridge of the nose
    ((4, 1, 45, 275), 1.15, 0.035),  # tip of the nose
    ((117, 118, 346, 347, 50, 280), 0.85, 0.07),  # cheekbones
    ((199, 175, 200), 0.75, 0.05),  # chin
    ((0, 164), 0.7, 0.03),  # upper lip
    ((159, 386, 223, 443), 0.6, 0.03),  # eyelids
)
"""Mesh points, how much they shine, and how far around them, in units of the face's height h."""


def oil(faces: Sequence[Points], shape: tuple[int, int], corner: tuple[int, int]) -> Plane:
    """Return how much skin of these places shines, over all other skin, at each point of a part of an image.

    Args:
        faces: (468, 3) float32 meshes, in the image's pixels.
        shape: height and width of the part.
        corner: x and y of its first pixel.

    Returns:
        (h, w) float32, 0 to 1.15.
    """
    most = np.zeros(shape, np.float32)
    x, y = (np.arange(n, dtype=np.float32) + np.float32(start) for n, start in zip(shape[::-1], corner, strict=True))
    for points in faces:
        h = face_height(points)
        for numbers, strength, reach in SPOTS:
            narrow = np.float32(-0.5 / max(reach * h, 0.5) ** 2)
            for p_x, p_y in points[list(numbers), :2].tolist():
                row, column = (
                    np.exp(narrow * np.square(x - np.float32(p_x))),
                    np.exp(narrow * np.square(y - np.float32(p_y))),
                )
                np.maximum(most, np.float32(strength) * np.outer(column, row), out=most)
    return most
