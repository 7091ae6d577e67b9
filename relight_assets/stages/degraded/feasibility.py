"""How often a recipe's lights are strong enough, measured before a long run.

A recipe whose light is nearly all ambient fails the strength gate on nearly every photo, so most rows of a
dataset would be rejected one by one.
"""

import numpy as np
from numpy.random import Generator

from relight_assets.config.recipe.degradation import Degradation
from relight_assets.config.recipe.light_sampling import LightSampling
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.color import planckian
from relight_assets.core.rng import stream
from relight_assets.errors import WeakPairError
from relight_assets.stages.degraded.geometry.scene import Scene, build
from relight_assets.stages.degraded.sampler import relight

DRAWS = 16
"""Lights that are drawn of each family: shares are known to about an eighth."""
MODEL_SIDE = 72
"""Side of the model's image, pixels: small, so that a check of all families takes about half a second."""
SKIN_ALBEDO = 0.30
"""Of the model, linear."""
PHOTO_AMBIENT = 0.35
"""Ambient share in the model photo's own light, which comes from the camera."""


def recipe_feasibility(recipe_: Recipe, enough: float = 1.0) -> dict[str, float]:
    """Return the share of each family's lights that pass the strength gate, redraws included, 0..1.

    Of a family that has reached the share ``enough`` no more lights are drawn: its share is at least that.

    Lights fall on a built-in model: an egg on shoulders, of one albedo, photographed in frontal light.
    Only families that have a key light and a weight above 0 are in the answer.  The same recipe gives the
    same answer.
    """
    scene = model_head()
    shares = {}
    for name, family in recipe_.degradation.key_lights.items():
        if family.weight > 0:
            shares[name] = _share(scene, recipe_.degradation.only(name), recipe_.light_sampling, enough)
    return shares


def model_head() -> Scene:
    """Return the model: a head and shoulders of one albedo under the camera's own light."""
    y, x = np.mgrid[0:MODEL_SIDE, 0:MODEL_SIDE].astype(np.float32) / np.float32(MODEL_SIDE)
    head = ((x - 0.5) / 0.21) ** 2 + ((y - 0.36) / 0.28) ** 2 < 1
    body = ((x - 0.5) / 0.42) ** 2 + ((y - 1.02) / 0.36) ** 2 < 1
    alpha = (head | body | ((np.abs(x - 0.5) < 0.12) & (y > 0.5))).astype(np.float32)
    albedo = alpha[..., None] * np.float32(SKIN_ALBEDO) * planckian(4500.0)
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


def _share(scene: Scene, degradation: Degradation, sampling: LightSampling, enough: float) -> float:
    passed = 0
    for number in range(DRAWS):
        passed += _passes(scene, degradation, sampling, number)
        if passed >= enough * DRAWS:
            break
    return passed / DRAWS


def _passes(scene: Scene, degradation: Degradation, sampling: LightSampling, number: int) -> bool:
    def streams(purpose: str) -> Generator:
        return stream(0, "model", number, purpose)

    try:
        relight(scene, degradation, sampling, streams, lights=1)
    except WeakPairError:
        return False
    return True
