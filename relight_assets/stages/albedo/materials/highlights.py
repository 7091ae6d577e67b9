"""How much of skin's light is a highlight: brighter and whiter than the skin around it.

The base is the Gaussian mean of luminance over skin, trimmed to what is near it; what exceeds it is a highlight as far
as it is less saturated than skin (dichromatic reflection, Shafer, Color Research and Application 1985).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from relight_assets.core.arrays import Gray8, Plane
from relight_assets.stages.albedo.materials.filters import disc, ramp, weighted_mean, weighted_means
from relight_assets.stages.albedo.materials.person import Person, saturation
from relight_assets.stages.albedo.materials.skin import Skin

BASE_SIGMAS = (0.16, 0.12)
"""Of the base, in units of the face's height: trimmed once by each."""
TRIMMED = (0.5, 1.15)
"""Of the base so far: what is darker is shade, what is brighter a highlight; neither is counted."""
BRIGHTEST_BASE = 1.0
"""Stops above the face's median that count in the first base."""
STARTS = 1.15
"""Of the base: luminance above it can be a highlight."""
WHITE_SHARE = 1.2
"""Of luminance times whiteness that is taken at most, unless the highlight is strong."""
STRONG = (1.6, 2.6)
"""Of the base: luminance between these begins to be, and is, a highlight whatever it is beside white."""
TAKEN, LARGEST = 0.95, 0.75
"""Share of a highlight that is taken, and of a pixel's light at most: skin without any sheen is plaster."""
EDGE_SHARE = 0.6
"""What of it is taken at the edge of skin, where hair and ground glare as well."""
EDGE = (0.03, 0.09)
"""Distance from that edge, heights, at which this begins to change and has."""
FEATURE_SHARE = 0.5
"""What of the skin's around them is taken of eyes, teeth and lips, which have highlights of their own."""


@dataclass(frozen=True)
class Highlights:
    """What of skin is highlight, and what is below."""

    share: Plane
    """Of a pixel's light that is highlight and goes, 0..1."""
    whiteness: Plane
    """How much less saturated a pixel is than skin, 0..1."""
    color: tuple[Plane, Plane]
    """ln R/G and ln B/G of the skin without highlights, smooth."""
    region: Gray8
    """1 at the face and the skin that goes on from it."""


def find_highlights(person: Person, skin: Skin) -> Highlights:
    """The highlights of skin."""
    face = skin.face
    base = _base(person, skin)
    over = cv2.divide(person.light, np.maximum(base, np.float32(1e-3)))
    matt = skin.weight * (1 - ramp(over, 1.0, 1.3)) / (1 + np.square(skin.distance * np.float32(1 / 8)))
    around = weighted_means(person.log_ratios, matt + np.float32(1e-4), 0.15 * face.height)
    color = [0.5 * np.float32(middle) + 0.5 * mean for mean, middle in zip(around, skin.color, strict=True)]
    own = saturation(*color)
    whiteness = np.clip(cv2.divide(own - person.saturation, np.maximum(own, np.float32(0.05))), 0, 1)
    region = _region(skin)
    inward = cv2.distanceTransform(region, cv2.DIST_L2, 3) * np.float32(1 / face.height)
    inner = face.blurred(ramp(inward, *EDGE), 0.015)
    share = _share(person, skin, base, over, whiteness) * (EDGE_SHARE + (1 - EDGE_SHARE) * inner)
    share *= np.maximum(face.soft_hull(0.03), skin.weight)
    return Highlights(np.clip(share * TAKEN, 0, LARGEST), whiteness, (color[0], color[1]), region)


def _base(person: Person, skin: Skin) -> Plane:
    height = skin.face.height
    dimmed = np.minimum(person.light, np.float32(2 ** (skin.level + BRIGHTEST_BASE)))
    base = weighted_mean(dimmed, skin.weight, BASE_SIGMAS[0] * height, 1e-3)
    for sigma in BASE_SIGMAS:
        near = skin.weight * ((person.light > TRIMMED[0] * base) & (person.light < TRIMMED[1] * base))
        over, under = (skin.face.blurred(plane, sigma) for plane in (person.light * near, near))
        base = (over + np.float32(0.02) * base) / (under + np.float32(0.02))
    return base


def _share(person: Person, skin: Skin, base: Plane, over: Plane, whiteness: Plane) -> Plane:
    light = person.light
    excess = np.maximum(light - np.float32(STARTS) * base, 0)
    strong = ramp(over, *STRONG) * np.maximum(ramp(whiteness, 0.15, 0.5), ramp(person.peak, 0.88, 0.99))
    taken = np.maximum(np.minimum(excess, WHITE_SHARE * whiteness * light), excess * strong)
    height = skin.face.height
    share = weighted_mean(taken / np.maximum(light, np.float32(1e-3)), skin.weight, 0.015 * height, 1e-2)
    # Features get the share of the skin around them: by their own colours they would be cut out.
    features = skin.soft_features
    around = weighted_mean(share, skin.weight, 0.05 * height, 1e-3)
    return share * (1 - features) + FEATURE_SHARE * features * around


def _region(skin: Skin) -> Gray8:
    face = skin.face
    beside = ((skin.weight > 0.4) & (face.outward < 0.2)).astype(np.uint8)
    return cv2.morphologyEx(face.hull | beside, cv2.MORPH_OPEN, disc(0.03 * face.height)) | face.hull
