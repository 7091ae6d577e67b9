"""Gray skin: what lost its light and not its paleness.

A highlight adds white to skin's own color (dichromatic reflection, Shafer 1985).  Where its light goes and its white
does not, skin is gray or mauve.  So color is led all the way to that of the matt skin around, by as much as the light
is taken; and where color cannot be led (at the edge of a face's mesh), as much less light is taken.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Plane
from relight_assets.stages.albedo.materials.filters import ramp, weighted_means
from relight_assets.stages.albedo.materials.highlights import Highlights
from relight_assets.stages.albedo.materials.person import Person, saturation
from relight_assets.stages.albedo.materials.skin import Skin

LACKING = (0.0, 0.12)
"""Saturation that skin lacks against the matt skin around, as a share of that, at which it begins to be led, and is."""
PALE, SPARED = (0.04, 0.2), 0.8
"""The same at which a cut begins to be spared, and is; the share of it that is spared at most."""
SIGMA = 0.015
"""Of both, in units of the face's height."""
LEAST_OVER = 0.25
"""Stops above the face's median that skin is taken to be above it at least: less is texture."""
NEAR = (0.05, 0.15)
"""Distance from the hull, heights, up to which color is led, and from which it is not: beyond is pale hair as well."""
TINTED = (0.2, 0.45)
"""How far beyond white (ln G/R, ln B/G) a color begins to be, and is, paint and no veiled skin."""
BOX = 0.2
"""Distance from the hull, heights, that all of this is within."""
REACH = (0.7, 0.9)
"""Difference of ln R/G and of ln B/G that is led at most; more is paint."""


def missing_color(person: Person, skin: Skin, highlights: Highlights, gain: Plane, changes: list[Plane]) -> list[Plane]:
    """What leads skin that is still gray to the color of the matt skin around.

    Args:
        person: at working size.
        skin: its skin.
        highlights: of it.
        gain: log2 of the factor of luminance.
        changes: of ln R/G and of ln B/G so far.

    Returns:
        Further changes of both.
    """
    face, box = skin.face, skin.face.around(BOX)
    weight, own = skin.weight[box] + np.float32(1e-3), [plane[box] for plane in highlights.color]
    changed = [(ratio + change)[box] for ratio, change in zip(person.log_ratios, changes, strict=True)]
    now = weighted_means(changed, weight, SIGMA * face.height, 1e-3)
    above = np.maximum(person.log_light[box] - np.float32(skin.level), np.float32(LEAST_OVER))
    taken = np.minimum(1, np.maximum(-gain[box], 0) * skin.blend[box] / above)
    red, blue = (ratio[box] for ratio in person.log_ratios)
    veiled = (1 - ramp(-red, *TINTED)) * (1 - ramp(blue, *TINTED))
    lead = ramp(_lacking(own, now), *LACKING) * taken * veiled * (1 - ramp(face.outward[box], *NEAR))
    lead = face.blurred(lead, SIGMA)
    found = [np.zeros_like(change) for change in changes]
    for plane, aim, ratio, reach in zip(found, own, now, REACH, strict=True):
        plane[box] = lead * np.clip(aim - ratio, -reach, reach)
    return found


def with_less_cut(person: Person, skin: Skin, highlights: Highlights, gain: Plane, changes: list[Plane]) -> Plane:
    """Take less light where skin stays pale.

    Args:
        person: at working size.
        skin: its skin.
        highlights: of it.
        gain: log2 of the factor of luminance.
        changes: of ln R/G and of ln B/G.

    Returns:
        The gain.
    """
    face, box = skin.face, skin.face.around(BOX)
    weight, own = skin.weight[box] + np.float32(1e-3), [plane[box] for plane in highlights.color]
    changed = [(ratio + change)[box] for ratio, change in zip(person.log_ratios, changes, strict=True)]
    photo = [ratio[box] for ratio in person.log_ratios]
    smooth = weighted_means([*photo, *changed], weight, SIGMA * face.height, 1e-3)
    before, after = (np.maximum(_lacking(own, ratios), 0) for ratios in (smooth[:2], smooth[2:]))
    left = np.minimum(1, after / np.maximum(before, np.float32(0.02))) * ramp(after, *PALE)
    found = gain.copy()
    found[box] -= np.minimum(gain[box], 0) * np.float32(SPARED) * face.blurred(left, SIGMA)
    return found


def _lacking(own: Sequence[Plane], ratios: Sequence[Plane]) -> Plane:
    # Saturation that is missing to that of matt skin, as a share of that.
    usual = saturation(own[0], own[1])
    return cv2.divide(usual - saturation(ratios[0], ratios[1]), np.maximum(usual, np.float32(0.05)))
