"""Scenes from the made-up portrait."""

import functools

import numpy as np

from relight_assets.core.color import decode
from relight_assets.core.rng import stream
from relight_assets.stages.degraded.geometry.scene import Scene, build
from relight_assets_tests.stages.portraits import NO_TRIANGLES, face_mesh, portrait


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
