"""What a turned panorama does to a person, beside its brightest light."""

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.environments import sphere
from relight_assets.stages.degraded.environments.panorama import Environment

F0 = 0.028
"""What skin mirrors of light that falls on it squarely (index of refraction 1.4)."""


def turned(light: Direction, turn: float) -> Direction:
    """Return a direction of a panorama after its turn about the vertical by ``turn`` radians, to the right."""
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    return Direction(light.x * cosine + light.z * sine, light.y, light.z * cosine - light.x * sine)


def rest_light(environment: Environment, normals: tuple[Plane, Plane, Plane], turn: float) -> LinearRgb:
    """Return the irradiance over pi of all but the brightest light, (h, w, 3) float32; computed at half size."""
    rows, columns = normals[0].shape
    size = (max(1, columns // 2), max(1, rows // 2))
    x, y, z = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in normals)
    light = unshadowed(environment, (x, y, z), turn)
    return cv2.resize(light, (columns, rows), interpolation=cv2.INTER_LINEAR)


def unshadowed(environment: Environment, normals: tuple[Plane, Plane, Plane], turn: float) -> LinearRgb:
    """Return the same for each of these normals."""
    return sphere.lit(environment.harmonics, _in_panorama(*normals, turn))


def gloss(environment: Environment, normals: tuple[Plane, Plane, Plane], turn: float) -> LinearRgb:
    """Return what skin with these unit normals mirrors of it into the camera, (h, w, 3) float32; at half size."""
    rows, columns = normals[0].shape
    size = (max(1, columns // 2), max(1, rows // 2))
    n_x, n_y, n_z = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in normals)
    mirrored = _in_panorama(2 * n_z * n_x, 2 * n_z * n_y, 2 * n_z * n_z - 1, turn)
    away = np.maximum(1 - n_z, 0)
    squared = away * away
    fresnel = np.float32(F0) + np.float32(1 - F0) * squared * squared * away
    seen = sphere.looked_up(environment.lobe, *mirrored) * fresnel[..., None]
    return cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_LINEAR)


def _in_panorama(x: Plane, y: Plane, z: Plane, turn: float) -> tuple[Plane, Plane, Plane]:
    # The panorama stays, the person turns the other way.
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return x * cosine - z * sine, y, z * cosine + x * sine
