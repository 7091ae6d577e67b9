"""Scenes from the made-up portrait."""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.color import decode, encode
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.geometry.bare_skin import LIPS
from relight_assets.stages.degraded.geometry.scene import Scene, build
from relight_assets.stages.degraded.geometry.skin import EYES_AND_MOUTH
from relight_assets_tests.stages.portraits import NO_TRIANGLES, face_mesh, portrait

PLACES = {
    151: (0, -0.6),
    9: (0, -0.45),
    108: (-0.25, -0.6),
    337: (0.25, -0.6),
    164: (0, 0.45),
    223: (-0.5, -0.25),
    50: (-0.5, 0.2),
    101: (-0.4, 0.25),
    205: (-0.45, 0.35),
    280: (0.5, 0.2),
    330: (0.4, 0.25),
    425: (0.45, 0.35),
    6: (0, -0.1),
    197: (0, 0),
    195: (0, 0.1),
    5: (0, 0.2),
    4: (0, 0.3),
    1: (0, 0.32),
    45: (-0.06, 0.3),
    275: (0.06, 0.3),
    117: (-0.45, 0.1),
    118: (-0.4, 0.1),
    346: (0.45, 0.1),
    347: (0.4, 0.1),
    443: (0.5, -0.25),
    199: (0, 0.85),
    175: (0, 0.9),
    200: (0, 0.8),
}
"""Where named points of a face mesh lie, in half widths and half heights of the mesh."""
RINGS = (
    (EYES_AND_MOUTH[0], -0.5, -0.085, 0.20, 0.10),
    (EYES_AND_MOUTH[1], 0.5, -0.085, 0.20, 0.10),
    (LIPS, 0, 0.6, 0.36, 0.12),
    (EYES_AND_MOUTH[2], 0, 0.6, 0.25, 0.03),
)
"""The rings around eyes and mouth: middle, half width and half height."""


def named_mesh(height: int = 192, width: int = 160) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The mesh of :func:`face_mesh`, with the points that code asks for by name where a face has them."""
    points, triangles = face_mesh(height, width)
    places = dict(PLACES)
    for ring, u, v, across, down in RINGS:
        for point, turn in zip(ring, np.linspace(0, 2 * np.pi, len(ring), endpoint=False).tolist(), strict=True):
            places[point] = (u + across * np.cos(turn), v + down * np.sin(turn))
    radius = 0.20 * width
    for point, (u, v) in places.items():
        z = radius * (0.8 * (u * u + v * v) / 2 - 0.45 * np.exp(-(u * u) / 0.03 - v * v / 0.1))
        points[point] = 0.5 * width + radius * u, 0.44 * height + 1.3 * radius * v, z
    return points, triangles


@functools.cache
def portrait_scene(*, with_face: bool = True) -> Scene:
    person = portrait()
    points, triangles = face_mesh()
    alpha = person.alpha.astype(np.float32) / 255
    return build(
        alpha=alpha,
        albedo=person.albedo * alpha[..., None],
        photo=decode(person.rgb),
        faces=[points] if with_face else [],
        triangles=triangles if with_face else NO_TRIANGLES,
        rng=stream(0, "", 0, "scene"),
    )


def face_scene(*, tone: float = 1.0, gray: bool = False, faces: int = 1, enlarged: int = 1) -> Scene:
    """The portrait with a face mesh whose named points lie where a face has them.

    Args:
        tone: factor on the albedo of all but the shirt.
        gray: without colours.
        faces: 0, 1, or 2, of which the second is half as large and lies on the first's cheek.
        enlarged: how many times larger the full photo is.
    """
    person = portrait()
    points, triangles = named_mesh()
    albedo = person.albedo.copy()
    albedo[albedo[..., 2] < 0.3] *= np.float32(tone)
    if gray:
        albedo = np.repeat(albedo.mean(axis=2, keepdims=True), 3, axis=2)
    alpha = person.alpha.astype(np.float32) / 255
    photo = encode((albedo * person.shading[..., None] * alpha[..., None]).astype(np.float32))
    size = (photo.shape[1] * enlarged, photo.shape[0] * enlarged)
    second = ((points - points.mean(axis=0)) * 0.5 + points.mean(axis=0) + (12, 8, 0)).astype(np.float32)
    return build(
        alpha=alpha,
        albedo=albedo * alpha[..., None],
        photo=decode(photo),
        faces=[points, second][:faces],
        triangles=triangles,
        rng=stream(0, "", 0, "scene"),
        full_photo=cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC),
    )
