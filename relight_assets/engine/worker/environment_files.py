"""The user's own panoramas, as light."""

import re
from pathlib import Path

import cv2
import numpy as np

from relight_assets.config.recipe.own_files import HDR, MAX_PANORAMA_BYTES
from relight_assets.config.recipe.recipe import Recipe
from relight_assets.core.arrays import LinearRgb
from relight_assets.core.color import decode as to_linear
from relight_assets.core.color import luminance
from relight_assets.errors import ConfigError, ImageError
from relight_assets.imaging.decode import decode
from relight_assets.stages.degraded.environments.panorama import Environments, prepared
from relight_assets.storage.files import read_source

MAX_PIXELS = 4096 * 2048
WIDEST = 512
"""Width that is kept: light is blurred by more."""
TOLERANCE = 0.01
"""Relative deviation of width from twice the height that is still a panorama."""
CLIPPED, CLIPPED_LIGHT = 0.95, 16.0
"""Luminance from which a display image is taken for clipped, linear, and what is there instead: suns and windows."""
_HEADER = re.compile(rb"\A#\?(?:RADIANCE|RGBE)\n.*?\n\n-Y (\d{1,6}) \+X (\d{1,6})\n", re.DOTALL)
_KEY = "degradation.environment.environment_dir"


def load_environments(recipe: Recipe) -> Environments:
    """Read the panoramas that a recipe names, by file name.

    Raises:
        ConfigError: one cannot be decoded, is no panorama, or is not what it was when the recipe was read.
    """
    section = recipe.degradation.environment
    found = {}
    for panorama in section.panoramas:
        path = Path(section.environment_dir or "") / panorama.name
        try:
            radiance, sha256 = _hdr(path) if path.suffix.lower() in HDR else _ldr(path)
            if sha256 != panorama.sha256:
                raise ConfigError(f"{_KEY}: {path} was altered as the run began; run again")
            found[panorama.name] = prepared(radiance)
        except (ImageError, ValueError) as error:
            raise ConfigError(f"{_KEY}: {path} is no panorama that can be used: {error}") from None
    return found


def _ldr(path: Path) -> tuple[LinearRgb, str]:
    """Radiance of a display image: what is clipped is taken for much brighter."""
    image = decode(path, image_size=WIDEST, max_pixels=MAX_PIXELS, photo=False)
    _check_shape(image.source.width, image.source.height)
    radiance = to_linear(image.rgb)
    share = np.clip((luminance(radiance) - np.float32(CLIPPED)) / np.float32(1 - CLIPPED), 0, 1)
    return radiance * (1 + (np.float32(CLIPPED_LIGHT) - 1) * share)[..., None], image.source.sha256


def _hdr(path: Path) -> tuple[LinearRgb, str]:
    data, stamp = read_source(path, max_bytes=MAX_PANORAMA_BYTES)
    header = _HEADER.match(data[:4096])
    if header is None:
        raise ValueError("it is no Radiance HDR of rows from top to bottom, whatever its name says")
    height, width = map(int, header.groups())
    _check_shape(width, height)
    if width * height > MAX_PIXELS:
        raise ValueError(f"it has {width} x {height} pixels; reduce it, {WIDEST} x {WIDEST // 2} are enough")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.shape != (height, width, 3) or image.dtype != np.float32:
        raise ValueError("it is damaged or cut off")
    smaller = cv2.resize(image, (WIDEST, WIDEST // 2), interpolation=cv2.INTER_AREA) if width > WIDEST else image
    if not np.isfinite(smaller).all() or float(smaller.min()) < 0:
        raise ValueError("it has values that are no light (below 0, or not finite)")
    return cv2.cvtColor(smaller, cv2.COLOR_BGR2RGB), stamp.sha256


def _check_shape(width: int, height: int) -> None:
    if height < 1 or abs(width / (2 * height) - 1) > TOLERANCE:
        raise ValueError(
            f"it has {width} x {height} pixels, and an equirectangular panorama is twice as wide as it is high"
        )
