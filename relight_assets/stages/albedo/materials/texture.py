"""The contrast of skin where light was cut: pores and wrinkles under sheen, else plaster.

Sheen adds light to skin's texture, and cameras compress what is bright; so what is brought down from there is smoother
than the skin around it.  Its own detail is raised to the contrast that is usual on that face.
"""

import cv2
import numpy as np

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import planes_of
from relight_assets.stages.albedo.materials.filters import ramp, weighted_mean, weighted_means
from relight_assets.stages.albedo.materials.highlights import Highlights
from relight_assets.stages.albedo.materials.person import Person
from relight_assets.stages.albedo.materials.skin import Skin
from relight_assets.stages.quantiles import median

SIGMA = 0.025
"""What varies more slowly is light, in units of the face's height."""
AROUND = 0.05
"""Sigma over which contrast is measured, likewise."""
FAINT = 0.01
"""Contrast that any skin has, stops: below it is noise."""
MOST = 0.5
"""By how much contrast is raised at most, as a share of it."""
CUT = (0.1, 0.5)
"""Stops of a cut at which contrast begins to be raised, and is."""
BOX = 0.1
"""Distance from the hull, heights, up to which contrast is raised."""
SEEN = 1e-3
"""Contrast under it is not seen."""
GLITTER = (0.42, 0.68)
"""Share of a pixel's light that is highlight at which its texture begins to be that of the sheen, and is."""


def lacking_contrast(person: Person, skin: Skin, highlights: Highlights, gain: Plane) -> Plane:
    """By how much the contrast of skin is to be raised, 0..``MOST``, where ``gain`` (log2) cut its light."""
    face, box = skin.face, skin.face.around(BOX)
    bare, log_light = cv2.erode(skin.weight[box], np.ones((3, 3), np.uint8)), person.log_light[box]
    smooth = weighted_mean(log_light, bare + np.float32(1e-4), SIGMA * face.height, 1e-4)
    squares = weighted_mean(np.square(log_light - smooth), bare, AROUND * face.height, 1e-3)
    contrast = np.sqrt(np.maximum(squares, 0)) + np.float32(FAINT)
    usual = median(contrast[skin.sure[box]])
    lacking = np.clip(usual / contrast - 1, 0, MOST) * ramp(-gain[box], *CUT)
    lacking *= 1 - ramp(highlights.share[box], *GLITTER)
    found = np.zeros_like(skin.weight)
    found[box] = face.blurred(lacking, 0.02) * face.blurred(bare * bare, 0.01)
    return found


def offsets(person: Person, weight: Plane, contrast: Plane, height: float) -> LinearRgb:
    """What is subtracted before a factor of 1 + ``contrast``, so that skin keeps its mean: (h, w, 3) linear light.

    ``weight`` says how surely a pixel is skin, 0..1; ``height`` is that of the face.
    """
    found = np.zeros_like(person.rgb)
    x, y, width, depth = cv2.boundingRect((contrast > SEEN).astype(np.uint8))
    if width:
        box = np.s_[y : y + depth, x : x + width]
        share = contrast[box] / (1 + contrast[box])
        smooth = weighted_means(planes_of(person.rgb[box]), weight[box] + np.float32(1e-3), SIGMA * height, 1e-4)
        found[box] = cv2.merge([plane * share for plane in smooth])
    return found
