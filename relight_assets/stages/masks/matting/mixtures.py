"""Pixels taken for the person whose colour lies between the person's and the background's: both are seen there."""

import numpy as np

from relight_assets.core.arrays import Mask, Plane

GRAY = np.float32(128)
"""Of a and b in OpenCV's 8-bit Lab."""
LEAST_CONTRAST = 40.0
"""Distance of both sides' colours, Lab levels, from which on a pixel between them is a mixture of them."""
LEAST_CHROMA = 10.0
"""Difference in a and b between the background and the person's colour in shade, Lab levels.  With less, shadows and
highlights of the person are between the two colours as well."""
OFF_LINE = 7.0
"""Lab levels by which a mixture may be off the line between both colours: grain."""
SHARES = (0.3, 0.8)
"""Shares of background up to which a pixel is the person alone, whose colours vary, and from which on it is none."""


def likely_alpha(lab: Plane, person: Plane, back: Plane) -> Plane:
    """What alpha N colours would have if both sides made them.

    Args:
        lab: (N, 3) float32 CIE Lab as OpenCV has it for 8 bits.
        person: (N, 3), the person's colour around each.
        back: (N, 3), the background's.

    Returns:
        (N,) float32 in 0..1; 1 where a colour is no mixture, or nothing tells that it is one.
    """
    likely = np.ones(len(lab), np.float32)
    towards = back - person
    told = np.flatnonzero((_squared(towards) > LEAST_CONTRAST**2) & _is_no_shade(person, back))
    towards, own = towards[told], lab[told] - person[told]
    length = _squared(towards)
    along = np.einsum("nc,nc->n", own, towards) / length
    in_chroma = np.einsum("nc,nc->n", own[:, 1:], towards[:, 1:]) / np.maximum(_squared(towards[:, 1:]), 1)
    is_between = _squared(own) - along * along * length < OFF_LINE**2
    low, high = SHARES
    share = (np.minimum(along, in_chroma) - np.float32(low)) * np.float32(1 / (high - low))
    likely[told] = np.where(is_between, 1 - np.clip(share, 0, 1), 1)
    return likely


def _is_no_shade(person: Plane, back: Plane) -> Mask:
    """(N,): the background's chroma is not what the person's would be at its lightness, if that is less."""
    darker = np.minimum(1, back[:, 0] / np.maximum(person[:, 0], 1))
    off = (back[:, 1:] - GRAY) - (person[:, 1:] - GRAY) * darker[:, None]
    return np.asarray(_squared(off) > LEAST_CHROMA**2)


def _squared(vectors: Plane) -> Plane:
    return np.asarray(np.einsum("nc,nc->n", vectors, vectors))
