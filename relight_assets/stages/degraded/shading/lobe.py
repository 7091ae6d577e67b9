"""How light is reflected at the surface of skin: GGX lobes (Walter et al., EGSR 2007), rough and fine together."""

import math

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.degraded.direction import Direction

Normals = tuple[Plane, Plane, Plane]
"""Unit vectors, x right, y down, z to the camera: three float32 planes of one shape."""

F0 = 0.028
"""Reflectance of skin at normal incidence."""
LEAST_FACING = np.float32(0.2)
"""Cosine to the camera below which surfaces count as turned away no further: silhouettes would be bright."""
TEXTURED, NARROW = 0.65, 0.35
"""Share of the lobe that the skin's texture breaks up, and of that the share of the narrower lobe."""
NARROW_ROUGHNESS, SMOOTH_ROUGHNESS, ROUGHEST = 0.62, 1.25, 0.65
"""Roughness of the narrower lobe and of the one without texture, over that of the skin; the largest of the latter."""
LAMP_WIDTH = 0.6
"""What tan(half angle) of a lamp adds to alpha = roughness^2.  With a mean over 3 x 3 points of a soft box of 4 to 12
degrees the lobe correlates by .96 to .995, at half of the time."""


def half_way(light: Direction) -> Direction:
    """The normal that mirrors a light into the camera."""
    length = math.sqrt(light.x**2 + light.y**2 + (light.z + 1) ** 2)
    return Direction(light.x / length, light.y / length, (light.z + 1) / length)


def mirror(light: Direction) -> Normals:
    """The same as an image of one pixel."""
    half = half_way(light)
    n_x, n_y, n_z = (np.full((1, 1), component, np.float32) for component in half.vector)
    return n_x, n_y, n_z


def ggx(normals: Normals, light: Direction, roughness: float) -> Plane:
    """Return one lobe, ``pi D F G / (4 n.v)`` under unit light seen from the front, (h, w) float32, 0 or more."""
    half = half_way(light)
    facing = np.maximum(normals[2], LEAST_FACING)
    lit, along = _cosine(normals, light), _cosine(normals, half)
    alpha2, k = np.float32(roughness**4), np.float32((roughness + 1) ** 2 / 8)
    spread = along * along * (alpha2 - 1) + 1
    distribution = alpha2 / (spread * spread)  # times pi, which cancels with that of the light
    incidence = light.x * half.x + light.y * half.y + light.z * half.z
    fresnel = F0 + (1 - F0) * (1 - incidence) ** 5
    shadowing = cv2.divide(lit, (lit * (1 - k) + k) * (facing * (1 - k) + k))  # facing cancels with that of the lobe
    return distribution * shadowing * np.float32(0.25 * fresnel)


def skin_lobe(textured: Normals, smooth: Normals, light: Direction, roughness: float, half_angle: float) -> Plane:
    """Return the lobe of skin, 1 at the normal that mirrors the lamp.

    Args:
        textured: normals with the skin's texture.
        smooth: normals without.
        light: toward the middle of the lamp.
        roughness: GGX roughness of the skin, for a lamp without size.
        half_angle: of the lamp, degrees.
    """
    at_peak = mirror(light)
    peak = float(_mixed(at_peak, at_peak, light, roughness, half_angle).item())
    return _mixed(textured, smooth, light, roughness, half_angle) * np.float32(1 / peak)


def _mixed(textured: Normals, smooth: Normals, light: Direction, roughness: float, half_angle: float) -> Plane:
    wider = LAMP_WIDTH * math.tan(math.radians(half_angle))

    def lobe(normals: Normals, own: float) -> Plane:
        return ggx(normals, light, math.sqrt(own * own + wider))

    broken = np.float32(TEXTURED * (1 - NARROW)) * lobe(textured, roughness)
    broken += np.float32(TEXTURED * NARROW) * lobe(textured, NARROW_ROUGHNESS * roughness)
    return broken + np.float32(1 - TEXTURED) * lobe(smooth, min(SMOOTH_ROUGHNESS * roughness, ROUGHEST))


def _cosine(normals: Normals, light: Direction) -> Plane:
    n_x, n_y, n_z = normals
    return np.maximum(n_x * np.float32(light.x) + n_y * np.float32(light.y) + n_z * np.float32(light.z), 0)
