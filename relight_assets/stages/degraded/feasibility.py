"""How often a recipe's lights are strong enough, before a long run finds out.

A recipe whose ambient light is nearly everything passes the strength gate on hardly any photo, and
without this would turn most of a dataset away, row by row.
"""

from typing import Any

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe import lights, recipe
from relight_assets.core.color import planckian
from relight_assets.core.rng import stream
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.geometry.scene import Scene, build
from relight_assets.stages.degraded.sampler import relight

DRAWS = 16
SIDE = 72
SKIN = 0.30
"""Albedo of the model head."""
PHOTO_AMBIENT = 0.35
"""Ambient share in the model photo's own light, which comes from the camera."""

FAMILIES = ("soft_shading", "hard_shadow", "specular")


def usable_share(recipe_: recipe.Recipe) -> dict[str, float]:
    """Say which share of each family's draws pass the strength gate, redraws included, 0..1.

    Tried on a built-in model: an egg on shoulders, of one albedo, photographed in frontal light.
    Only families with a weight above 0 are in the answer.  The same recipe gives the same answer;
    well under a second.
    """
    scene = model_head()
    shares = {}
    for family in FAMILIES:
        if getattr(recipe_.degradation, family).weight > 0:
            degradation = _only(recipe_.degradation, family)
            shares[family] = (
                sum(_passes(scene, degradation, recipe_.light_sampling, number) for number in range(DRAWS)) / DRAWS
            )
    return shares


def model_head() -> Scene:
    """Return the model: a head and shoulders of one albedo under the camera's own light."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / np.float32(SIDE)
    head = ((x - 0.5) / 0.21) ** 2 + ((y - 0.36) / 0.28) ** 2 < 1
    body = ((x - 0.5) / 0.42) ** 2 + ((y - 1.02) / 0.36) ** 2 < 1
    alpha = (head | body | ((np.abs(x - 0.5) < 0.12) & (y > 0.5))).astype(np.float32)
    albedo = alpha[..., None] * np.float32(SKIN) * planckian(4500.0)
    no_faces = np.zeros((0, 3), np.int32)
    flat = build(alpha=alpha, albedo=albedo, photo=albedo, faces=(), triangles=no_faces, rng=stream(0, "", 0, "model"))
    light = np.float32(PHOTO_AMBIENT) + np.float32(1 - PHOTO_AMBIENT) * flat.normals[2]
    return build(
        alpha=alpha,
        albedo=albedo,
        photo=albedo * light[..., None],
        faces=(),
        triangles=no_faces,
        rng=stream(0, "", 0, "model"),
    )


def _only(degradation: lights.Degradation, family: str) -> lights.Degradation:
    # The same degradation with one family alone, unmixed.
    changes: dict[str, Any] = {"mixture_probability": 0.0}
    for name in (*FAMILIES, "none"):
        part = getattr(degradation, name)
        changes[name] = part.model_copy(update={"weight": 1.0 if name == family else 0.0})
    # The user's own patterns are not read for this; leaves stand in for them.
    kinds = degradation.hard_shadow.kinds
    shares = {"custom": 0.0, "foliage": kinds.foliage + kinds.custom}
    changes["hard_shadow"] = changes["hard_shadow"].model_copy(update={"kinds": kinds.model_copy(update=shares)})
    return degradation.model_copy(update=changes)


def _passes(scene: Scene, degradation: lights.Degradation, sampling: lights.LightSampling, number: int) -> bool:
    def streams(purpose: str) -> Generator:
        return stream(0, "model", number, purpose)

    try:
        relight(scene, degradation, sampling, streams)
    except WeakPairError:
        return False
    return True
