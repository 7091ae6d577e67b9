"""Does the albedo stage take a light out again that was put on an albedo of its own?"""

from collections.abc import Sequence
from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.config.quality import Quality
from relight_assets.config.recipe.albedo import AlbedoMethod, Retinex
from relight_assets.core.arrays import Gray8, Plane, Rgb8
from relight_assets.core.color import decode, encode
from relight_assets.core.spherical_harmonics import shading
from relight_assets.models.faces.mesh import TRIANGLES
from relight_assets.quality.measured import WORST, Verdict
from relight_assets.quality.scale_invariant import inconsistency
from relight_assets.stages.albedo.albedo import extract
from relight_assets.stages.degraded.geometry import height_field
from relight_assets.stages.foreground_color import with_alpha

WORKING_SIDE = 256
"""Longest side at which it is tried, pixels: lights and what is taken of them are smooth."""
LIGHTS = ((-0.6, -0.4, 0.7), (0.7, -0.2, 0.65))
"""From the left and from the right, a little from above: x right, y down, z to the camera."""
AMBIENT = 0.2
"""Share of light that comes from everywhere."""


def light_inconsistency(
    albedo: Rgb8,
    alpha: Gray8,
    faces: Sequence[NDArray[np.float32]],
    parameters: Retinex,
    method: AlbedoMethod = "retinex",
) -> float:
    """Put two known lights on an albedo, one after the other, extract it again, and compare.

    Args:
        albedo: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, of the person.
        faces: (468, 3) float32 meshes in pixels, largest first; may be empty.
        parameters: of the method.
        method: by which it is extracted.

    Returns:
        The scale-invariant squared error between the two: 0 is a light that is all gone; the images themselves
        are 0.35 apart (the middle of 19 real portraits 0.34).
    """
    scale = WORKING_SIDE / max(alpha.shape)
    size = (max(2, round(alpha.shape[1] * scale)), max(2, round(alpha.shape[0] * scale)))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    inside = small > 127
    if not inside.any():
        return 0.0
    linear = decode(cv2.resize(albedo, size, interpolation=cv2.INTER_AREA))
    meshes = [(face * scale).astype(np.float32) for face in faces]
    normals = _normals(small, meshes)
    found = []
    for light in LIGHTS:
        lit = encode(np.minimum(linear * _shading(normals, light)[..., None], 1).astype(np.float32))
        again = extract(with_alpha(lit, small), parameters, method, None, meshes).image
        found.append(decode(again).mean(axis=2, dtype=np.float32))
    return inconsistency(found[0], found[1], inside)


def consistent(found: Sequence[tuple[int, float]], quality: Quality) -> list[Verdict]:
    """The threshold of the mean of images' :func:`light_inconsistency`; ``found``: an image's number, and its."""
    if not found:
        return []
    mean, most = fmean(value for _, value in found), quality.max_inconsistency
    worst = sorted(found, key=lambda each: (-each[1], each[0]))[:WORST]
    indices, values = zip(*worst, strict=True)
    return [Verdict("light left in albedo", len(found), mean, f"<= {most:g} on average", mean <= most, indices, values)]


def _normals(alpha: Gray8, faces: list[NDArray[np.float32]]) -> tuple[Plane, Plane, Plane]:
    size = float(np.sqrt(np.count_nonzero(alpha > 127)))
    height, _, _ = height_field.height_field(alpha.astype(np.float32) * np.float32(1 / 255), faces, TRIANGLES, size)
    return height_field.normals(height)


def _shading(normals: tuple[Plane, Plane, Plane], light: tuple[float, float, float]) -> Plane:
    length = float(np.linalg.norm(light))
    cosine = sum(plane * np.float32(part / length) for plane, part in zip(normals, light, strict=True))
    return shading(np.asarray(cosine), AMBIENT)
