"""The degraded picture out of its albedo and its light: what `relight verify` proves, and what trainers can do."""

from dataclasses import dataclass

import numpy as np

from relight_assets.core.arrays import Gray8, LinearRgb, Rgb8, Rgba8
from relight_assets.stages.degraded.degrade import DITHER, degraded_stream, render, window_of
from relight_assets.stages.degraded.light_sampler import Grain
from relight_assets.stages.degraded.parts.light_parts import LightParts
from relight_assets.stages.degraded.tone_curve import ToneCurve


@dataclass(frozen=True)
class Noise:
    """What the dither of a picture is drawn from: dark levels of an albedo are rounded, and light makes that seen."""

    seed: int
    """Of the recipe."""
    source_sha256: str
    light: int
    """Number of the light whose noise it is, from 0: `noise_of` of the record, less 1."""


@dataclass(frozen=True)
class _Light:
    light: LinearRgb
    highlight: LinearRgb | None
    grain: Grain | None
    curve: ToneCurve


def rebuilt(albedo: Rgb8, alpha: Gray8, parts: LightParts, curve: ToneCurve, noise: Noise) -> Rgba8:
    """Put a light that was kept on the albedo it was made for.

    Args:
        albedo: (H, W, 3) uint8 sRGB, `albedo.png`.
        alpha: (H, W) uint8, the alpha of `foreground.png`.
        parts: the light; part of it, or more of it, gives other pictures of the same person.
        curve: of the camera, `tone_curve` of the record.
        noise: of the picture.

    Returns:
        (H, W, 4) uint8 RGBA: `degraded_fg.png` within one level, where the light is as it was kept.
    """
    window = window_of(alpha)
    rng = degraded_stream(noise.seed, noise.source_sha256, noise.light, DITHER)
    # What has no highlight adds none: 0 leaves every value as it is.
    light = _Light(parts.light, parts.highlight, parts.grain, curve)
    image = np.zeros((*alpha.shape, 4), np.uint8)
    image[window] = render(albedo[window], np.ascontiguousarray(alpha[window]), light, parts.eyes, rng)
    return image
