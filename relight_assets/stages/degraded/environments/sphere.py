"""Directions of a panorama's pixels, and functions on the sphere: harmonics of order 2, and blurs.

A panorama is equirectangular: its middle is what the camera's side shows, its left edge what is behind the person.
x is right, y down and z to the camera, as everywhere.
"""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane

Floats = NDArray[np.float32]
COSINE_BANDS = (1.0, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4)
"""What Lambert's cosine leaves of each harmonic, over pi (Ramamoorthi and Hanrahan, SIGGRAPH 2001)."""


@functools.lru_cache(maxsize=4)
def directions(rows: int, columns: int) -> tuple[Floats, Floats]:
    """Return the unit vectors of a panorama's pixels, (rows, columns, 3), and their solid angles, (rows, columns)."""
    height = (0.5 - (np.arange(rows) + 0.5) / rows) * np.pi
    turn = ((np.arange(columns) + 0.5) / columns - 0.5) * 2 * np.pi
    level = np.cos(height)[:, None]
    vectors = np.stack(
        [level * np.sin(turn), np.broadcast_to(-np.sin(height)[:, None], (rows, columns)), level * np.cos(turn)], axis=2
    )
    angles = np.broadcast_to(level, (rows, columns)) * (np.pi / rows) * (2 * np.pi / columns)
    return vectors.astype(np.float32), angles.astype(np.float32)


def basis(x: Floats, y: Floats, z: Floats) -> Floats:
    """Return the nine real spherical harmonics up to order 2 of unit vectors (...), as (9, ...) float32."""
    found = np.empty((9, *x.shape), np.float32)
    found[0] = 0.282095
    for place, plane in ((1, y), (2, z), (3, x)):
        np.multiply(plane, np.float32(0.488603), out=found[place])
    for place, one, other in ((4, x, y), (5, y, z), (7, x, z)):
        np.multiply(one, other, out=found[place])
        found[place] *= np.float32(1.092548)
    np.multiply(z, z, out=found[6])
    found[6] *= np.float32(3 * 0.315392)
    found[6] -= np.float32(0.315392)
    np.multiply(x + y, x - y, out=found[8])
    found[8] *= np.float32(0.546274)
    return found


def irradiance_of(radiance: LinearRgb) -> Floats:
    """Return the harmonics (9, 3) of a panorama's irradiance over pi: 1 everywhere where the radiance is 1."""
    vectors, angles = directions(*radiance.shape[:2])
    harmonics = basis(vectors[..., 0], vectors[..., 1], vectors[..., 2]).reshape(9, -1)
    found = harmonics @ (radiance * angles[..., None]).reshape(-1, 3)
    return (found * np.array(COSINE_BANDS, np.float32)[:, None]).astype(np.float32)


def lit(harmonics: Floats, normals: tuple[Plane, Plane, Plane]) -> LinearRgb:
    """Return the irradiance over pi at unit normals, (h, w, 3) float32, 0 and more."""
    values = harmonics.T @ basis(*normals).reshape(9, -1)
    planes = np.maximum(values, 0).reshape(3, *normals[0].shape)
    return cv2.merge(list(planes))


def blurred(radiance: LinearRgb, power: float) -> LinearRgb:
    """Return a panorama blurred by lobes ``max(cosine, 0) ** power``, of its own size."""
    vectors, angles = directions(*radiance.shape[:2])
    flat = vectors.reshape(-1, 3)
    kernel = np.maximum(flat @ flat.T, 0) ** np.float32(power) * angles.ravel()
    mean = kernel @ radiance.reshape(-1, 3) / kernel.sum(axis=1, keepdims=True)
    return mean.reshape(radiance.shape).astype(np.float32)


def looked_up(panorama: LinearRgb, x: Plane, y: Plane, z: Plane) -> LinearRgb:
    """Return a panorama's values in directions that are given as unit vectors, (h, w, 3) float32."""
    rows, columns = panorama.shape[:2]
    turn = cv2.phase(z, x)  # 0 in the middle, to 2 pi
    across = turn * np.float32(columns / (2 * np.pi)) - np.float32(0.5)
    down = (np.arcsin(np.clip(y, -1, 1)) * np.float32(1 / np.pi) + np.float32(0.5)) * np.float32(rows) - np.float32(0.5)
    # From the middle around, with one column more on each side: the ends meet there.
    middle = columns // 2
    around = np.concatenate([panorama[:, middle - 1 :], panorama[:, : middle + 1]], axis=1)
    found: LinearRgb = cv2.remap(around, across + 1, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found
