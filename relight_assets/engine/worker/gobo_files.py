"""The user's own shadow patterns, as pixels."""

from pathlib import Path

import cv2

from relight_assets.config.recipe.recipe import Recipe
from relight_assets.errors import ConfigError, ImageError
from relight_assets.imaging.decode import decode
from relight_assets.stages.degraded.gobos import Gobos

SIDE = 512
"""Longest side that is kept: light is computed no finer."""
MAX_PIXELS = 4096 * 4096


def load_gobos(recipe: Recipe) -> Gobos:
    """Read the patterns that a recipe names: (h, w) uint8 by file name, 255 lets light through.

    Raises:
        ConfigError: one cannot be decoded, or is not what it was when the recipe was read.
    """
    hard = recipe.degradation.hard_shadow
    images = {}
    for gobo in hard.gobos:
        path = Path(hard.gobo_dir or "") / gobo.name
        try:
            found = decode(path, image_size=SIDE, max_pixels=MAX_PIXELS, photo=False)
        except ImageError as error:
            raise ConfigError(f"degradation.hard_shadow.gobo_dir: {hard.gobo_dir}: {error}") from None
        if found.source.sha256 != gobo.sha256:
            raise ConfigError(f"degradation.hard_shadow.gobo_dir: {path} was altered as the run began; run again")
        images[gobo.name] = cv2.cvtColor(found.rgb, cv2.COLOR_RGB2GRAY)
    return images
