"""Where a lamp may stand so that it shades a face and shines on it: of a few drawn places, the first that does."""

import math

import numpy as np

from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.light_sampler import LightSampler
from relight_assets.stages.degraded.shading.lobe import Normals, ggx, mirror

PLACES = 8
"""Places that are drawn until one shades and shines enough; then the best of them is taken."""
MIN_SHADING = 0.75
"""Standard deviation of log2 irradiance over the face, stops."""
MIN_SHINE = 0.03
"""Share of the face on which the highlight is :data:`VISIBLE` of the lit skin or more."""
VISIBLE = 0.3
"""Highlight over the luminance of the lit skin that is seen."""
STEEP, STEEP_FRONT, STEEPEST = -0.72, 0.5, -0.82
"""Height (y) above which a lamp must stand in front (z) by so much, and above which none stands: from straight above,
eyes are black holes and a nose draws a moustache."""
LOWEST, FROM_BELOW = 0.5, 0.25
"""Height (y) below which no lamp stands, and the share of those from below the face that are kept: they darken
foreheads."""
REFUSED = 1e3
"""What a place that is refused loses of its score: it is taken only where the recipe allows no other."""
AMBIENT, WRAP, ROUGHNESS, OIL = 0.08, 0.11, 0.5, 0.6
"""The typical lamp and skin with which places are compared."""
FACE_SAMPLES = 3000
"""Pixels of the face that are compared."""


def draw(sampler: LightSampler, normals: Normals, purpose: str, elevations: tuple[float, float]) -> Direction:
    """Draw the place of a lamp.

    Args:
        sampler: of the person.
        normals: of the person, as the lamp sees them.
        purpose: of the random stream.
        elevations: of the family, degrees.
    """
    face = _face(sampler.scene, normals)
    best, kept = -math.inf, Direction(0.0, 0.0, 1.0)
    for number in range(PLACES):
        of_this = f"{purpose}/{number}" if number else purpose
        light = sampler.key_light(of_this, elevations)
        score = _score(face, light)
        chance = float(sampler.streams(f"{of_this}/below").random())
        steep = light.y < STEEPEST or (light.y < STEEP and light.z < STEEP_FRONT)
        if steep or light.y > LOWEST or (light.y > 0 and chance >= FROM_BELOW):
            score -= REFUSED
        if score > best:
            best, kept = score, light
        if score >= 1:
            break
    return kept


def _face(scene: Scene, normals: Normals) -> Normals:
    # Normals of the face's bare skin, or of the head, as images one pixel wide.
    at = np.flatnonzero(scene.bare_skin > 0.5)
    at = at[:: 1 + at.size // FACE_SAMPLES] if at.size else scene.head_samples
    n_x, n_y, n_z = (plane.ravel()[at, None] for plane in normals)
    return n_x, n_y, n_z


def _score(normals: Normals, light: Direction) -> float:
    # 1 and more: it shades and shines enough.
    cosine = sum(n * np.float32(part) for n, part in zip(normals, light.vector, strict=True))
    irradiance = np.maximum((cosine + np.float32(WRAP)) / np.float32(1 + WRAP), 0) + np.float32(AMBIENT)
    shading = float(np.log2(irradiance).std(dtype=np.float64))
    lobe = ggx(normals, light, ROUGHNESS) / ggx(mirror(light), light, ROUGHNESS)
    shining = np.count_nonzero(np.float32(OIL) * lobe > VISIBLE) / lobe.size
    return min(shading / MIN_SHADING, shining / MIN_SHINE)
