"""A made panorama, for trials of a recipe that read none of the user's files: a room with a window."""

import functools

import numpy as np

from relight_assets.stages.degraded.environments.panorama import ROWS, Environment, prepared
from relight_assets.stages.degraded.environments.sphere import directions


@functools.cache
def trial_environment() -> Environment:
    """Return gray walls, and a window 30 times as bright."""
    vectors, _ = directions(2 * ROWS, 4 * ROWS)
    window = vectors @ np.array([0.6, -0.35, 0.72], np.float32) > np.float32(0.96)
    light = np.where(window, 30.0, 1.0).astype(np.float32)
    return prepared(np.repeat(light[..., None], 3, axis=2))
