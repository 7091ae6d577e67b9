"""What the kinds of studio light have in common: a lamp of a colour, its falloff, and the sum of several."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import luminance, safe_ratio
from relight_assets.core.rng import log_uniform, part_of, uniform
from relight_assets.stages.degraded.direction import Direction, direction
from relight_assets.stages.degraded.geometry.bare_skin import face_height
from relight_assets.stages.degraded.geometry.scene import Numbers, Scene
from relight_assets.stages.degraded.light_sampler import AmbientShare, Attribute, LightSampler
from relight_assets.stages.degraded.shading import lamp
from relight_assets.stages.degraded.shading.ambient import share_of

Color = NDArray[np.float32]
"""(3,) linear RGB."""
Light = tuple[Sequence[Plane], Color]
"""A light of a colour: planes for R, G and B, and the colour times its strength."""


@dataclass(frozen=True)
class Beam:
    """What a lamp of white light does to a person: R, G and B, (h, w) float32 each, 1 where it is faced.

    R, G and B differ as skin has it: red light goes around the terminator.
    """

    planes: tuple[Plane, Plane, Plane]
    of: lamp.Lamp


def beam(
    scene: Scene,
    light: Direction,
    rng: Generator,
    sizes: tuple[float, float],
    *,
    wrap: float,
    falloff: Plane | None = None,
    filled: float = 0.0,
) -> Beam:
    """Light a person by one lamp.

    Args:
        scene: the person.
        light: toward the lamp.
        rng: for its size.
        sizes: angular half size, radians.
        wrap: how far it reaches around.
        falloff: factor on its light, (h, w) float32; None: the lamp is far away.
        filled: share of it in the head's own shadow.
    """
    source = lamp.sample(scene, light, rng, sizes)
    seen = [np.float32(filled) + np.float32(1 - filled) * plane for plane in source.seen]
    red, green, blue = lamp.key_light(scene, light, wrap, seen)
    if falloff is not None:
        red, green, blue = red * falloff, green * falloff, blue * falloff
    return Beam((red, green, blue), source)


def near(scene: Scene, place: tuple[float, float, float]) -> Plane:
    """Return the inverse square of the distance to a lamp, (h, w) float32, 1 at the middle of the head.

    ``place`` is x, y, z from there, in heights of the head.
    """
    unit = np.float32(1 / (2 * scene.head.half_height))
    rows, columns = scene.shape
    x = (np.arange(columns, dtype=np.float32)[None, :] - np.float32(scene.head.x)) * unit - np.float32(place[0])
    y = (np.arange(rows, dtype=np.float32)[:, None] - np.float32(scene.head.y)) * unit - np.float32(place[1])
    squared = x * x + y * y + np.float32(place[2] ** 2)
    whole = np.full_like(squared, place[0] ** 2 + place[1] ** 2 + place[2] ** 2)
    return safe_ratio(whole, squared, 0.05)


def summed(lights: Sequence[Light]) -> LinearRgb:
    """Add lights of colours: (h, w, 3) float32."""
    return cv2.merge(
        [sum((planes[c] * np.float32(color[c]) for planes, color in lights), np.float32(0)) for c in range(3)]
    )


def ambient_of(rooms: Sequence[Light], lights: Sequence[Light]) -> AmbientShare:
    """The share of ``rooms``, which are among the lights and come from no lamp, in the sum of all."""
    return lambda: share_of(summed(rooms), summed(lights))


def even(plane: Plane) -> tuple[Plane, Plane, Plane]:
    """The same for R, G and B."""
    return plane, plane, plane


def finished(scene: Scene, light: LinearRgb, occlusion: Plane, *, aim: bool = True, is_near: bool = False) -> LinearRgb:
    """Compress what is brightest on the face, darken skin beside hair, and ``aim`` the light at the face.

    A lamp that ``is_near`` may leave the rest of the person darker than the face.
    """
    light = light * (occlusion * lamp.compressed(scene, luminance(light)))[..., None]
    return lamp.aimed(scene, light, near=is_near) if aim else light


def draw_ambient(sampler: LightSampler, rng: Generator, strength_bias: float) -> float:
    """Draw the light that is everywhere, linear; a ``strength_bias`` of 1 takes the least."""
    least, most = sampler.degradation.studio.ambient_linear
    ambient = log_uniform(part_of(rng, Attribute.STRENGTH), (least, most))
    return ambient + (least - ambient) * strength_bias


def draw_gain(rng: Generator, gains: tuple[float, float]) -> float:
    """Draw the gain of a gloss over physical skin."""
    return uniform(part_of(rng, Attribute.STRENGTH), gains)


def draw_side(rng: Generator) -> int:
    """-1 or 1: left or right in the picture."""
    return 1 if rng.random() < 0.5 else -1


def beside(rng: Generator, side: int, elevations: tuple[float, float], above: tuple[float, float]) -> Direction:
    """Draw a direction to the left (-1) or right (1): elevation toward the camera and angle above the level, degrees.

    The sine of the elevation is uniform, as for all lights.
    """
    low, high = (math.sin(math.radians(end)) for end in elevations)
    elevation, up = math.degrees(math.asin(uniform(rng, (low, high)))), uniform(rng, above)
    return direction(elevation, up if side > 0 else 180 - up)


def head_height(scene: Scene) -> float:
    """Height of the largest face, or of a head without one, in working pixels."""
    return face_height(scene.faces[0]) if scene.faces else 2 * scene.head.half_height


def named(kind: str, numbers: Numbers) -> Numbers:
    """The numbers of a light of a kind."""
    return {"studio_kind": kind, **numbers}
