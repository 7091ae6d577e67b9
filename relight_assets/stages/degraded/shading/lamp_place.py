"""Where a lamp may stand so that it is seen on a face: of a few drawn places, the first from which it is."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Plane
from relight_assets.core.color import luminance
from relight_assets.core.rng import part_of
from relight_assets.stages.degraded.direction import Direction
from relight_assets.stages.degraded.geometry.scene import Scene
from relight_assets.stages.degraded.geometry.visibility import sight
from relight_assets.stages.degraded.light_sampler import Attribute, LightSampler
from relight_assets.stages.degraded.shading.lobe import Normals, ggx, mirror

PLACES = 8
"""Places that are drawn until one does enough; then the best of them is taken."""
MIN_SHADING = 0.85
"""Standard deviation of log2 irradiance over the face, stops."""
MIN_CHANGE, OWN_FLOOR = 0.85, np.float32(0.004)
"""Standard deviation of what a lamp changes of the photo's own light on the face, stops; and linear luminance that is
added before the logarithm."""
MIN_SHINE = 0.03
"""Share of the face on which the highlight is :data:`VISIBLE` of the lit skin or more."""
VISIBLE = 0.3
"""Highlight over the luminance of the lit skin that is seen."""
STEEP, STEEP_FRONT, STEEPEST = -0.72, 0.5, -0.82
"""Height (y) above which a lamp must stand in front (z) by so much, and above which none stands: from straight above,
eyes are black holes and a nose draws a moustache."""
HIGH, FROM_HIGH = -0.53, 0.25
"""Height (y) above which a lamp seldom stands if nothing is before it, and the share of those that are kept: in light
from above a mesh's nose is not the person's."""
LOWEST, FROM_BELOW = 0.5, 0.25
"""Height (y) below which no lamp stands, and the share of those from below the face that are kept: they darken
foreheads."""
ASIDE = 0.45
"""How far aside (x) a lamp must stand: from over the nose its shadow is a moustache, and both cheeks are alike."""
REFUSED = 1e3
"""What a place that is refused loses of its score: it is taken only where the recipe allows no other."""
TOO_HIGH = REFUSED / 4
"""What one that is too high loses: sooner it is taken than one where the photo's own light is."""
AMBIENT, WRAP, ROUGHNESS, OIL = 0.08, 0.11, 0.5, 0.6
"""The typical lamp and skin with which places are compared."""
FACE_SAMPLES = 3000
"""Pixels of the face that are compared."""
SHADOW = (0.15, 0.60)
"""Share of the face in its own shadow, at least and at most: less is not seen, more hides the face."""
MIN_CAST = 0.04
"""Share of the face that faces the lamp and lies in a cast shadow: its edge is what is seen at a glance."""
IN_SHADOW, FACING = 0.3, 0.15
"""Light below which a point is in shadow, and cosine above which it faces the lamp."""
SHADOW_SIDE, SHADOW_STEPS, SHADOW_LAMP = 96, 24, 0.06
"""Size, steps and lamp of the coarse shadows that are compared."""

Score = Callable[[Direction], float]
"""How well a lamp is seen on a face; from 1 on it is enough."""
Irradiance = Callable[[Normals], Plane]
"""Gives the light on surfaces with these normals, above 0."""


def draw(
    sampler: LightSampler,
    purpose: str,
    elevations: tuple[float, float],
    score_of: Score,
    *,
    from_high: float = FROM_HIGH,
) -> Direction:
    """Draw the place of a lamp.

    Args:
        sampler: of the person.
        purpose: of the random stream.
        elevations: of the family, degrees.
        score_of: what the lamp shall do.
        from_high: the share of lamps above :data:`HIGH` that are kept.
    """

    def place(of_this: str) -> tuple[Direction, float]:
        light = sampler.key_light(of_this, elevations)
        score = score_of(light)
        chance = float(part_of(sampler.streams(f"{of_this}/below"), Attribute.DIRECTION).random())
        if _steep(light) or light.y > LOWEST or (light.y > 0 and chance >= FROM_BELOW):
            score -= REFUSED
        elif is_too_high(light, chance, from_high):
            score -= TOO_HIGH
        return light, score

    return best_of(purpose, place)


def is_too_high(light: Direction, chance: float, from_high: float = FROM_HIGH) -> bool:
    """Whether a lamp stands above :data:`HIGH`, and is none of the share that is kept; ``chance`` is drawn, 0..1."""
    return light.y < HIGH and chance >= from_high


def _steep(light: Direction) -> bool:
    return light.y < STEEPEST or (light.y < STEEP and light.z < STEEP_FRONT)


def best_of(purpose: str, place: Callable[[str], tuple[Direction, float]]) -> Direction:
    """Return the first of a few places whose score is enough, or the best of them.

    ``place`` draws one from the random stream whose purpose it is given, and says its score.
    """
    best, kept = -math.inf, Direction(0.0, 0.0, 1.0)
    for number in range(PLACES):
        light, score = place(f"{purpose}/{number}" if number else purpose)
        if score > best:
            best, kept = score, light
        if score >= 1:
            break
    return kept


def anywhere(_light: Direction) -> float:
    """Any place does."""
    return 1.0


def shading_score(scene: Scene) -> Score:
    """Whether a lamp shades the face, and nose or brow cast a shadow on it; a head without a face has neither."""
    face = _on_face(scene)
    if not scene.faces:
        return lambda light: _shading(face, light) / MIN_SHADING
    shadows = _shadows(scene)
    return lambda light: min(_shading(face, light) / MIN_SHADING, _aside(light) * shadows(light).cast / MIN_CAST)


def change_score(scene: Scene) -> Score:
    """Whether a lamp shades the face otherwise than the photo's own light does."""
    change = change_of(scene)
    return lambda light: change(lambda face: _irradiance(face, light)) / MIN_CHANGE


def change_of(scene: Scene) -> Callable[[Irradiance], float]:
    """Gives how much the light on the face changes: the standard deviation of log2 of new over old light, stops.

    The old light is what the albedo lacks of the photo; what the albedo has kept of it stays under any light.
    """
    face, at = _on_face(scene), face_samples(scene)
    photo = scene.photo_light.ravel()[at, None]
    albedo = luminance(scene.albedo.reshape(-1, 3)[at, None])
    old = np.log2((photo + OWN_FLOOR) / (albedo + OWN_FLOOR))
    return lambda irradiance: float((np.log2(irradiance(face)) - old).std(dtype=np.float64))


def least(*scores: Score) -> Score:
    """Whether a lamp does all that several scores ask for."""
    return lambda light: min(score(light) for score in scores)


def away(sampler: LightSampler, score_of: Score) -> Score:
    """Whether a lamp does what a score asks for, and stands as far from the photo's own light as the recipe wants."""
    own = sampler.scene.source_light.direction

    def score(light: Direction) -> float:
        near = own is not None and light.angle(own) < sampler.sampling.min_light_angle
        return score_of(light) - REFUSED / 2 * near

    return score


def shining_score(scene: Scene) -> Score:
    """Whether a lamp shades the face likewise, and shines on it."""
    face, shading = _on_face(scene), shading_score(scene)

    def score(light: Direction) -> float:
        lobe = ggx(face, light, ROUGHNESS) / ggx(mirror(light), light, ROUGHNESS)
        shining = np.count_nonzero(np.float32(OIL) * lobe > VISIBLE) / lobe.size
        return min(shading(light), shining / MIN_SHINE)

    return score


def shadow_score(scene: Scene) -> Score:
    """Whether the head's own shadow is seen on the face, and leaves enough of it in the light."""
    shadows = _shadows(scene)

    def score(light: Direction) -> float:
        share, cast = shadows(light)
        return _aside(light) * min(share / SHADOW[0], (1 - share) / (1 - SHADOW[1]), cast / MIN_CAST)

    return score


class _Shadows(NamedTuple):
    share: float
    """Of the face, in its own shadow."""
    cast: float
    """Of the face, facing the lamp and in a cast shadow."""


def _shadows(scene: Scene) -> Callable[[Direction], _Shadows]:
    at, face = face_samples(scene), _on_face(scene)
    coarse = scene.at_side(SHADOW_SIDE)
    rows, columns = (
        (index * size // full).astype(np.intp)
        for index, size, full in zip(np.unravel_index(at, scene.shape), coarse.shape, scene.shape, strict=True)
    )

    def measure(light: Direction) -> _Shadows:
        cosine = _cosine(face, light).ravel()
        seen = sight(coarse, light, SHADOW_LAMP, SHADOW_STEPS)[rows, columns]
        share = float(np.mean(np.maximum(cosine, 0) * seen < IN_SHADOW))
        return _Shadows(share, float(np.mean((cosine > FACING) & (seen < 0.5))))

    return measure


def face_samples(scene: Scene) -> NDArray[np.intp]:
    """Numbers of some of the working image's pixels: of the face's bare skin, or of the head; (N,)."""
    at = np.flatnonzero(scene.bare_skin > 0.5)
    return at[:: 1 + at.size // FACE_SAMPLES] if at.size else scene.head_samples


def _on_face(scene: Scene) -> Normals:
    # As images one pixel wide.
    at = face_samples(scene)
    n_x, n_y, n_z = (plane.ravel()[at, None] for plane in scene.normals)
    return n_x, n_y, n_z


def _cosine(normals: Normals, light: Direction) -> Plane:
    n_x, n_y, n_z = normals
    return n_x * np.float32(light.x) + n_y * np.float32(light.y) + n_z * np.float32(light.z)


def _shading(face: Normals, light: Direction) -> float:
    return _aside(light) * float(np.log2(_irradiance(face, light)).std(dtype=np.float64))


def _irradiance(face: Normals, light: Direction) -> Plane:
    return np.maximum((_cosine(face, light) + np.float32(WRAP)) / np.float32(1 + WRAP), 0) + np.float32(AMBIENT)


def _aside(light: Direction) -> float:
    # What a place loses where it would be taken only for want of a better one.
    return 0.3 if abs(light.x) < ASIDE else 1.0
