"""An eye's albedo without what it mirrored in the photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Rgb8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.degraded.eyes.own_lights import CORNEA, IRIS, ClearEye, quantile, shrunk
from relight_assets.stages.degraded.eyes.region import Eye
from relight_assets.stages.degraded.geometry.filters import smoothstep

RIM, RIM_QUANTILE = 0.6, 0.4
"""Radii beyond which the iris's colour stands for what lies around it, and the quantile of it that is taken."""
FILL_REACH, FILL_SOFTNESS = 0.15, 0.7
"""How far around itself each filled point looks, in radii, and the blur of the filled part's edge, pixels."""
WHITE_QUANTILE = 0.8
"""Quantile of what lies between the lids beside the iris that is the white of the eye."""
IRIS_TO_LID = 0.2, 0.6
"""Shares of the way from the iris's median to that of lids or white, between which a point is less and less of it."""
IRIS_BLUR = 0.05
"""Blur of where the iris is, in its radii."""


@dataclass(frozen=True)
class ClearedEye:
    """An eye and its albedo."""

    eye: Eye
    patch: Rgb8 | None
    """(H, W, 3) uint8 sRGB over the eye's box; None: as it was."""
    iris: Plane
    """How surely each point shows the iris, and no lid or white of the eye, (h, w) float32 in 0..1."""
    white: float
    """Albedo of the white of the eye, luminance."""


def cleared(albedo: Rgb8, clear: ClearEye) -> ClearedEye:
    """Take the photo's catch-lights out of an eye of an albedo (H, W, 3) uint8 sRGB."""
    eye, part = clear.eye, albedo[clear.eye.box]
    small = shrunk(part, eye)
    patch = None
    if clear.catch_lights.any():
        small = _filled(small, clear)
        patch = _blended(part, small, clear)
    light = luminance(decode(small))
    between, lids = (eye.distance > CORNEA) & (eye.opening > 0.5), eye.opening < 0.2
    white = quantile(light[between], WHITE_QUANTILE)
    dark = quantile(light[(eye.distance < IRIS) & (eye.opening > 0.5)], 0.5)
    pale = min(white, quantile(light[lids], 0.5))
    low, high = (dark + share * (pale - dark) for share in IRIS_TO_LID)
    share = 1 - smoothstep((light - np.float32(low)) / np.float32(max(high - low, 1e-4)))
    return ClearedEye(eye, patch, cv2.GaussianBlur(share, (0, 0), max(IRIS_BLUR * eye.radius / eye.step, 0.5)), white)


def _filled(small: Rgb8, clear: ClearEye) -> Rgb8:
    """What is around catch-lights, and within the iris, led into them."""
    eye, source = clear.eye, small.copy()
    known = (eye.distance < 1) & (eye.opening > 0.5) & ~clear.bright
    rim = small[known & (eye.distance > RIM)]
    if rim.size:  # lids and the white of the eye beside a spot do not flow into it
        source[~known] = np.sort(rim, axis=0)[int(RIM_QUANTILE * len(rim))]
    reach = max(2.0, FILL_REACH * eye.radius / eye.step)
    filled = cv2.inpaint(source, clear.catch_lights.astype(np.uint8), reach, cv2.INPAINT_TELEA)
    return np.where(clear.catch_lights[..., None], filled, small).astype(np.uint8, copy=False)


def _blended(part: Rgb8, small: Rgb8, clear: ClearEye) -> Rgb8:
    size = (part.shape[1], part.shape[0])
    spots = cv2.GaussianBlur(clear.catch_lights.astype(np.float32), (0, 0), FILL_SOFTNESS)
    share = cv2.resize(spots, size, interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return cv2.blendLinear(large, np.ascontiguousarray(part), share, 1 - share).astype(np.uint8, copy=False)
