"""The colour of skin where light was taken or added: led to the skin's own, as a smooth field."""

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.colors.color_curve import change_along, find_curve
from relight_assets.stages.albedo.materials.colors.gray import REACH, missing_color
from relight_assets.stages.albedo.materials.colors.hull_edge import join
from relight_assets.stages.albedo.materials.filters import ramp, weighted_mean, weighted_means
from relight_assets.stages.albedo.materials.highlights import Highlights
from relight_assets.stages.albedo.materials.person import Person, saturation
from relight_assets.stages.albedo.materials.skin import Skin
from relight_assets.stages.albedo.materials.skin_light import SkinLight

LIT_STOPS = (0.05, 0.8)
"""Deviation of the light from which its colour begins to be led, and from which it is fully."""
HIGHLIGHT_LEAD, MOST_LEAD = 1.8, 0.85
"""Lead of the colour for each share of highlight that went, and the most."""
PALER, PALE_LIT, PALE_LEAD = (0.03, 0.12), (-0.1, 0.3), 0.8
"""Saturation below what is usual at a luminance, and stops of luminance against the face's median, from which and up to
which skin is taken for veiled by sheen; the share of that which is led to the usual colour."""
LIPS_SPARED, FEATURES_SPARED = 0.3, 0.7
"""Share of the change around them that lips, and eyes and brows, are spared: lips pale in the light like skin, and are
gray beside it if they stay as they are."""
FOLLOW = 0.015
"""Sigma of the luminance by which colour follows the curve, in units of the face's height."""
SIGMA = 0.10
"""Of the field of coloured light, in units of the face's height."""
MOST = (0.16, 0.256)
"""Largest change by coloured light."""
DEEPER = (0.035, 0.045)
"""By how much the face's median of ln R/G may grow, and that of ln B/G fall: sheen had made it paler."""
DEEPER_NEAR = (0.05, 0.15)
"""Distance from the hull, heights, up to which skin follows that, and from which it does not: it had no such sheen."""


def even_color(
    person: Person, skin: Skin, highlights: Highlights, light: SkinLight, share: float
) -> tuple[Plane, Plane]:
    """Find what leads the colour of skin to its own.

    Args:
        person: at working size.
        skin: its skin.
        highlights: of it.
        light: on it.
        share: of the difference that is led at most where light was far from the face's median, 0..1.

    Returns:
        Changes of ln R/G and of ln B/G.
    """
    face = skin.face
    before = person.log_light - np.float32(skin.level)
    smooth = weighted_mean(before, skin.weight + np.float32(1e-3), FOLLOW * face.height, 1e-3)
    curve = find_curve(person, skin)
    usual = curve.at(smooth)
    followed = change_along(usual, curve.at(smooth + light.gain), light.gain)
    lit = share * ramp(np.abs(light.deviation), *LIT_STOPS)
    pale = ramp(saturation(*usual) - person.saturation, *PALER) * ramp(smooth, *PALE_LIT) * face.soft_hull(0.05)
    shine = np.maximum(np.clip(highlights.share * HIGHLIGHT_LEAD, 0, MOST_LEAD), PALE_LEAD * pale)
    spared = np.where(face.lips > 0, LIPS_SPARED, FEATURES_SPARED * face.features).astype(np.float32)
    kept = np.maximum(face.soft_hull(0.02) * (1 - spared), np.minimum(1, 1.5 * skin.weight))
    kept *= 1 - skin.hair(person)
    kept = cv2.GaussianBlur(kept, (0, 0), max(0.8, 0.01 * face.height))
    apart = [
        np.clip(own - ratio - change, -reach, reach) * (1 - shine) * lit
        for own, ratio, reach, change in zip(highlights.color, person.log_ratios, REACH, followed, strict=True)
    ]
    wide = weighted_means(apart, skin.weight, SIGMA * face.height, 1e-3)
    veiled = [
        np.clip(middle - ratio, -reach, reach) * shine
        for middle, ratio, reach in zip(usual, person.log_ratios, REACH, strict=True)
    ]
    narrow = weighted_means(veiled, skin.weight, 0.012 * face.height, 1e-2)
    changes = [
        (change + np.clip(each, -most, most) + part) * kept
        for change, each, most, part in zip(followed, wide, MOST, narrow, strict=True)
    ]
    missing = missing_color(person, skin, highlights, light.gain, changes)
    changes = [change + kept * more for change, more in zip(changes, missing, strict=True)]
    red, blue = join(person, skin, _anchored(person, skin, changes, kept))
    return red, blue


def _anchored(person: Person, skin: Skin, changes: list[Plane], kept: Plane) -> list[Plane]:
    # The face keeps its median colour, or gains a little of what sheen took from it.
    shifts = [
        skin.anchored(ratio + change) - skin.anchored(ratio)
        for ratio, change in zip(person.log_ratios, changes, strict=True)
    ]
    gained = np.clip(shifts[0], 0, DEEPER[0]), np.clip(shifts[1], -DEEPER[1], 0)
    near = 1 - ramp(skin.face.outward, *DEEPER_NEAR)
    return [
        change + kept * (np.float32(some) * near - np.float32(shift))
        for change, shift, some in zip(changes, shifts, gained, strict=True)
    ]
