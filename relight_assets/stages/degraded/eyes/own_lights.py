"""The photo's own catch-lights: where they are, and the eye without them.

After Wang and Nishino's observation that eyes mirror the scene ("Relighting with eyes"): what an eye mirrors tells
the photo's light, so under another light it must go.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb, Mask, Pixels8, Plane, Points, Rgba8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.degraded.eyes.region import Eye, region

MIN_IRIS = 10.0
"""Pixels of the iris's width (twice its mean radius) below which an eye is left as it is."""
OPAQUE, OPAQUE_REACH = 250, 1.5
"""Alpha, of 255, that an eye has within so many radii: beyond, it may be seen in profile."""
MIN_APERTURE = 0.35
"""Height of the opening over the iris's centre, in widths of the iris, below which an eye is closed."""
MIN_WHITE = 0.02
"""Linear luminance of the white of the eye, below which the eye is too dark to be seen."""
WHITE, WHITE_QUANTILE = 2.0, 0.8
"""How much brighter the white of an eye is than its iris, at least, and at which of its quantiles: not so in lenses."""
LID = 1.5
"""How much brighter lids are than the iris, at least: behind sunglasses all is alike."""
PALER, COLOR_FLOOR = 0.1, 0.002
"""By how much ln R/B of the white of the eye is below that of the lids, at least: a closed eye is skin throughout; and
what is added to both channels, linear."""
MAX_GLARE = 0.6
"""Share of the iris that is bright, above which that is glare on a lens and no catch-light."""
BRIGHT, OFFSET, PALE_LID = 2.2, 0.03, 0.15
"""A catch-light is brighter than 2.2 times the iris's median plus .03, linear; less beside lids darker than .15."""
OF_WHITE = 0.35
"""And brighter than this share of the white of the eye: not the bright ring of an iris around its pupil."""
HALO, HALO_OFFSET, HALO_REACH = 1.4, 0.5, 0.14
"""Its halo: the same two, relative to the iris's median and to the offset, and how far it reaches, in radii."""
IRIS, CORNEA = 0.9, 1.05
"""Radii within which a point is surely of the iris, and within which catch-lights are."""
AROUND = 0.15
"""How far around a bright spot is looked, in radii, to tell an iris from a lid: lids are found to a tenth of it."""
OWN_SHARE = 0.6
"""Share of a bright spot within the iris, below which it is the white of the eye."""
WELL_WITHIN = 0.75
"""Radii within which most of a spot lies that is not the white of the eye reaching into a misplaced iris."""
REACH_OF_WHITE = 1.6
"""Radii to which what a spot touches is followed."""
GROWTH = 0.05
"""By how much what is removed is wider than what is seen, in radii."""


@dataclass(frozen=True)
class ClearEye:
    """An eye that is open, large enough and not behind a dark lens."""

    eye: Eye
    catch_lights: Mask
    """(h, w) bool, as the eye's planes: the photo's own."""
    bright: Mask
    """The same, with what is as bright and is none: lids, the white of the eye."""


def clear_eyes(foreground: Rgba8, eyes: Sequence[Points]) -> list[ClearEye]:
    """Those eyes of the person that can be seen well enough.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB: the person of the photo.
        eyes: (21, 2) float32 in its pixels, as :mod:`relight_assets.stages.masks.recorded_faces` gives them.
    """
    found = (_clear(foreground, region(points, foreground.shape)) for points in eyes)
    return [each for each in found if each is not None]


def _clear(foreground: Rgba8, eye: Eye | None) -> ClearEye | None:
    if eye is None or 2 * eye.radius < MIN_IRIS or eye.aperture < MIN_APERTURE:
        return None
    part = shrunk(foreground[eye.box], eye)
    opaque = part[..., 3] >= OPAQUE
    if not opaque[eye.distance < OPAQUE_REACH].all():  # another person's, or cut by the mask
        return None
    linear = decode(np.ascontiguousarray(part[..., :3]))
    light = luminance(linear)
    iris, between = (eye.distance < IRIS) & (eye.opening > 0.5), opaque & (eye.distance > CORNEA) & (eye.opening > 0.5)
    lids = opaque & (eye.opening < 0.2)
    if not (iris.any() and between.any() and lids.any()):
        return None
    middle, lid, white = (
        quantile(light[iris], 0.5),
        quantile(light[lids], 0.5),
        quantile(light[between], WHITE_QUANTILE),
    )
    if white < max(MIN_WHITE, WHITE * middle) or lid < LID * middle:
        return None
    if _redness(linear[between & (light >= white)]) > _redness(linear[lids]) - PALER:
        return None
    offset = OFFSET * min(lid / PALE_LID, 1.0)
    spots = _catch_lights(eye, light, middle=middle, white=white, offset=offset)
    if np.count_nonzero(spots & iris) > MAX_GLARE * np.count_nonzero(iris):
        return None
    return ClearEye(eye, spots, spots | (light > BRIGHT * middle + offset))


def _catch_lights(eye: Eye, light: Plane, *, middle: float, white: float, offset: float) -> Mask:
    """Where the photo's catch-lights are, with what surrounds them.

    Bright spots of the iris are.  Some touch the white of the eye or a lid, which is as bright: they are cut off at the
    iris's edge, and are spots of the iris where most of them lies well within.
    """
    least = BRIGHT * middle + offset
    bright = (light > max(least, OF_WHITE * white)) & (eye.distance < REACH_OF_WHITE)
    mirror = (eye.distance < CORNEA) & (
        (eye.opening > 0.5) | _in_the_dark(eye, light, HALO * middle + offset / 2, least)
    )
    own = _mostly(bright, eye.distance < IRIS) & mirror
    cut = bright & (eye.distance < IRIS) & (eye.opening > 0.8)
    spots = own | _mostly(cut & ~own, (eye.distance < WELL_WITHIN) & (eye.opening > 0.95))
    if not spots.any():
        return spots
    halo = (light > HALO * middle + HALO_OFFSET * offset) & _grown(spots, HALO_REACH * eye.radius / eye.step)
    return _grown(spots | (halo & mirror), GROWTH * eye.radius / eye.step + 1) & mirror


def _in_the_dark(eye: Eye, light: Plane, dark: float, bright: float) -> Mask:
    """Where all around that is not bright is as dark as an iris: the lids that were found there are not."""
    side = 2 * max(1, round(AROUND * eye.radius / eye.step)) + 1
    dull = (light < bright).astype(np.float32)
    return cv2.blur(light * dull, (side, side)) < np.float32(dark) * cv2.blur(dull, (side, side))


def _mostly(spots: Mask, place: Mask) -> Mask:
    """The connected parts that lie mostly in a place."""
    count, labels = cv2.connectedComponents(spots.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=count)
    inside = np.bincount(labels[place], minlength=count)
    kept = inside >= OWN_SHARE * sizes
    kept[0] = False
    return kept[labels]


def _grown(mask: Mask, reach: float) -> Mask:
    side = 2 * max(1, round(reach)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def _redness(colors: LinearRgb) -> float:
    """Ln R/B of the mean of (N, 3) linear colours."""
    red, _, blue = (colors.mean(axis=0, dtype=np.float64) + COLOR_FLOOR).tolist()
    return math.log(red / blue)


def quantile(values: Plane, share: float) -> float:
    """The value that so large a share of some is below, without interpolation: a tenth of NumPy's time."""
    place = min(int(share * values.size), values.size - 1)
    return float(np.partition(values, place)[place])


def shrunk(patch: Pixels8, eye: Eye) -> Pixels8:
    """An eye's box of an image, with as many pixels as the eye's planes."""
    rows, columns = eye.shape
    shrink = cv2.INTER_LINEAR if eye.step <= 2 else cv2.INTER_AREA  # up to two bilinear weights reach every pixel
    return cv2.resize(patch, (columns, rows), interpolation=shrink).astype(np.uint8, copy=False)
