"""Points of a face's skin: how bright they are, where they face, and how high what surrounds them rises."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Mask, Plane
from relight_assets.core.color import luminance
from relight_assets.stages.degraded.geometry.close_up import enlarged_part

Floats = NDArray[np.float32]

FACE_PX = 48.0
"""Pixels of the face's height at which it is sampled: shading is smooth."""
POINTS = 150
"""Points, evenly spread, that are enough for a light."""
MIN_POINTS = 40
"""Points below which nothing is said of the light."""
MIN_SKIN = 0.3
"""How surely a point must be skin."""
FLOOR = 0.004
"""Added to luminance before the logarithm, linear: keeps noise in the dark small."""
DOWNWARD = 0.2
"""By how much skin that looks down is darker than skin that looks at the camera, nepers, under even light: stubble,
folds, and the light that most rooms have from above.  The value with which known lights on portraits have no bias."""
AZIMUTHS = 24
"""Directions in the image, evenly around, in which the horizon is looked for."""
STEPS = (1.0, 1.5, 2.2, 3.3, 5.0, 7.5, 11.0, 16.0, 24.0)
"""Distances at which it is, pixels."""
NOTHING = -1e3
"""Height of what is beyond the picture, pixels: it hides no lamp."""


@dataclass(frozen=True)
class FacePoints:
    """Points of one face, each an (N,) or (N, ...) float32."""

    light: Floats
    """(N,) ln luminance of the photo, as if all of the face were of one paint."""
    colors: LinearRgb
    """(N, 3) of the photo, linear RGB."""
    trust: Floats
    """(N,) how surely each is skin, 0..1."""
    normals: Floats
    """(N, 3) unit normals: x right, y down, z to the camera."""
    horizon: Floats
    """(N, 24) slope of the line to the highest thing around, in each direction of the image from the right downward."""


def face_points(
    photo: LinearRgb,
    skin: Plane,
    *,
    height: Plane,
    normals: tuple[Plane, Plane, Plane],
    on_face: Mask,
    face_height: float,
) -> FacePoints | None:
    """Take points of a face.

    Args:
        photo: (h, w, 3) float32 linear.
        skin: (h, w) float32 in 0..1, how surely a face is skin there.
        height: (h', w') float32, the height field of the same person in its own pixels, which may be fewer.
        normals: (h', w') float32 each, its unit normals.
        on_face: (h', w') bool, the face.
        face_height: in pixels of the height field.

    Returns:
        None where too little skin is seen.
    """
    columns, rows = (np.flatnonzero(on_face.any(axis=axis)) for axis in (0, 1))
    if not rows.size or face_height < 1:
        return None
    low = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    near = enlarged_part(low, height.shape, photo.shape)
    factor = min(1.0, FACE_PX / face_height)
    size = _scaled((low[0].stop - low[0].start, low[1].stop - low[1].start), factor)

    def reduced(image: Floats) -> Floats:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    colors, sure = reduced(photo[near]), reduced(skin[near])
    inside = reduced(on_face[low].astype(np.float32)) > 0.9
    at = np.flatnonzero((inside & (sure > MIN_SKIN)).ravel())
    if at.size < MIN_POINTS:
        return None
    at = at[np.linspace(0, at.size - 1, min(at.size, POINTS)).astype(np.intp)]
    facing = np.stack([reduced(plane[low]).ravel()[at] for plane in normals], axis=1)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    of_points = colors.reshape(-1, 3)[at]
    # In pixels of the height field, from the corner of the first.
    places = [
        (index + np.float32(0.5)) * np.float32((side.stop - side.start) / count) + np.float32(side.start)
        for index, side, count in zip(np.unravel_index(at, sure.shape), low, sure.shape, strict=True)
    ]
    bright = np.log(luminance(of_points[None])[0] + np.float32(FLOOR))
    return FacePoints(
        light=(bright + np.float32(DOWNWARD) * facing[:, 1]).astype(np.float32),
        colors=of_points,
        trust=sure.ravel()[at],
        normals=facing.astype(np.float32),
        horizon=_horizon(height, factor, *places),
    )


def _scaled(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    """Width and height of an image of this height and width, once it is so many times as large."""
    return max(1, round(shape[1] * factor)), max(1, round(shape[0] * factor))


def _horizon(height: Plane, factor: float, rows: Floats, columns: Floats) -> Floats:
    """The horizon of points of a height field, seen at ``factor`` of its size."""
    small = cv2.resize(height, _scaled(height.shape, factor), interpolation=cv2.INTER_AREA) * np.float32(factor)
    turns = np.arange(AZIMUTHS) * (2 * np.pi / AZIMUTHS)
    across, down = (np.rint(np.outer(part, STEPS)).astype(np.intp) for part in (np.cos(turns), np.sin(turns)))
    far = np.maximum(np.hypot(across, down), 1).astype(np.float32)
    edge = math.ceil(STEPS[-1])
    wide = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=NOTHING)
    row, column = (
        np.clip((at * np.float32(factor)).astype(np.intp), 0, n - 1) + edge
        for at, n in zip((rows, columns), small.shape, strict=True)
    )
    own = row * wide.shape[1] + column
    rise = wide.ravel().take(own[:, None, None] + (down * wide.shape[1] + across))
    rise -= wide.ravel()[own][:, None, None]
    rise *= 1 / far
    found: Floats = rise.max(axis=2)
    return found
