"""An eye's albedo without what it mirrored in the photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Rgb8
from relight_assets.core.color import decode, encode, luminance
from relight_assets.stages.degraded.eyes.own_lights import CORNEA, IRIS, ClearEye, quantile, shrunk
from relight_assets.stages.degraded.eyes.region import Eye
from relight_assets.stages.degraded.geometry.filters import smoothstep

RIM, RIM_QUANTILE = 0.6, 0.4
"""Radii beyond which the iris's colour stands for what lies around it, and the quantile of it that is taken."""
FILL_REACH, FILL_SOFTNESS = 0.15, 0.7
"""How far around itself each filled point looks, in radii, and the blur of the filled part's edge, pixels."""
PUPIL, PUPIL_COVERED, PUPIL_EDGE = 0.36, 0.2, 0.12
"""Radius of a pupil in those of its iris; the share of it under catch-lights from which it is painted anew; and the
width of its edge: around a spot in its middle there is only iris to fill it with, and an eye needs a pupil."""
PUPIL_QUANTILE, DARK_REACH, PUPIL_OF_IRIS = 0.05, 0.7, 0.2
"""Quantile of what is seen of the iris within so many radii that is its pupil, by luminance; and how bright a pupil is
at most, as a share of the iris's median, linear: a lamp may cover all of it."""
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
        pupil = _pupil(clear)
        small = _with_pupil(_filled(small, clear), small, clear, pupil)
        patch = _blended(part, small, np.maximum(clear.catch_lights, pupil))
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


def _pupil(clear: ClearEye) -> Plane:
    """Where the pupil is painted, (h, w) float32 in 0..1; nowhere if the catch-lights leave most of it to be seen."""
    eye = clear.eye
    core = (eye.distance < PUPIL) & (eye.opening > 0.5)
    if np.count_nonzero(core & clear.catch_lights) <= PUPIL_COVERED * max(int(np.count_nonzero(core)), 1):
        return np.zeros(eye.shape, np.float32)
    return (1 - smoothstep((eye.distance - np.float32(PUPIL)) / np.float32(PUPIL_EDGE) + 0.5)) * eye.opening


def _with_pupil(filled: Rgb8, small: Rgb8, clear: ClearEye, pupil: Plane) -> Rgb8:
    """The eye with a pupil as dark as what is still seen of it, or of its surroundings."""
    eye = clear.eye
    seen = (eye.distance < DARK_REACH) & (eye.opening > 0.8) & ~clear.bright
    if not (pupil.any() and seen.any()):
        return filled
    colors = decode(small)
    light = luminance(colors)[seen]
    dark = colors[seen][light <= quantile(light, PUPIL_QUANTILE)].mean(axis=0)
    most = PUPIL_OF_IRIS * np.median(colors[seen], axis=0)
    darker = np.minimum(encode(np.minimum(dark, most).astype(np.float32).reshape(1, 1, 3)), filled)
    return cv2.blendLinear(darker, filled, pupil, 1 - pupil).astype(np.uint8, copy=False)


def _blended(part: Rgb8, small: Rgb8, where: Plane) -> Rgb8:
    size = (part.shape[1], part.shape[0])
    spots = cv2.GaussianBlur(where, (0, 0), FILL_SOFTNESS)
    share = cv2.resize(spots, size, interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return cv2.blendLinear(large, np.ascontiguousarray(part), share, 1 - share).astype(np.uint8, copy=False)
