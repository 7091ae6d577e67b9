"""One gain map of a person, put together from its materials."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane
from relight_assets.core.color import LUMINANCE_WEIGHTS, planes_of, shoulder
from relight_assets.stages.albedo.materials.colors.gray import with_less_cut
from relight_assets.stages.albedo.materials.colors.skin_color import even_color
from relight_assets.stages.albedo.materials.face import Face
from relight_assets.stages.albedo.materials.filters import weighted_means
from relight_assets.stages.albedo.materials.highlights import find_highlights
from relight_assets.stages.albedo.materials.person import COLOR_FLOOR, Person
from relight_assets.stages.albedo.materials.rest import even_rest
from relight_assets.stages.albedo.materials.skin import Skin, find_skin
from relight_assets.stages.albedo.materials.skin_light import even_skin
from relight_assets.stages.albedo.materials.texture import lacking_contrast, offsets
from relight_assets.stages.quantiles import median

SMALLEST_FACE = 0.25
"""Height of a face, of the largest one's, under which its skin is that of the person it is nearest to."""
MOST_FACES = 4
HAIR_UNLIFTED = 0.6
"""Share of a lift that hair, beard and frames inside the hull are spared."""
BRIGHTEST, OVER_SPARED = 0.6, 0.8
"""Stops above the face's median that a lift may reach, and the share of what would go beyond that is spared."""
WHOLE = 0.6
"""Strength from which highlights go and colors are evened completely: half a highlight is a gray patch."""
REST_SHIFT = 0.15
"""Stops by which the median of what is not the face may change."""
EDGE_SIGMA = 2.0
"""Pixels over which gains go on beyond the person: its soft edge is evened like the person beside it."""
GAIN_LIMITS = (0.5, 3.0)
"""Of the colour floor's effect on a gain."""
SHOULDER_START, SHOULDER_TOP = 0.75, 0.97
"""Linear light at which what is lifted begins to be compressed, and which it approaches."""


@dataclass(frozen=True)
class Gains:
    """What evens a person: linear R, G, B, less the offsets, times the factors."""

    factors: LinearRgb
    """(h, w, 3)."""
    offsets: LinearRgb
    """(h, w, 3), linear light, 0 or more: what is taken from smooth skin, so that its contrast grows by the factor."""
    spread: float
    """Standard deviation of the logarithm of the factor of luminance over the person, nepers."""


@dataclass(frozen=True)
class _Evened:
    # Of one face's skin: how much it counts, log2 of its gain, changes of ln R/G and ln B/G, where highlights were,
    # and by how much its contrast is raised.
    skin: Skin
    blend: Plane
    gain: Plane
    red: Plane
    blue: Plane
    shine: Plane
    contrast: Plane


def find_gains(
    person: Person, faces: Sequence[NDArray[np.float32]], strength: float, color_strength: float
) -> Gains | None:
    """Find the factors that even the light on a person.

    Args:
        person: at working size.
        faces: (N, 2) points of meshes in its pixels, largest first.
        strength: share of the light that is taken out, 0..1; highlights go from :data:`WHOLE` on.
        color_strength: share of the difference of colour that is evened, 0..1.

    Returns:
        None: of no face is enough to be seen.
    """
    evened = [found for part, face in _parts_by_face(person, faces) if (found := _even(part, face, color_strength))]
    if not evened:
        return None
    weight = np.minimum(sum(each.skin.weight for each in evened), 1).astype(np.float32)
    rest = even_rest(person, person.inside * (1 - weight))
    gain, (red, blue, skin, shine, contrast) = rest, np.zeros((5, *rest.shape), np.float32)
    # Of light a share is taken that differs between images; highlights go and colors are evened by all that is asked.
    whole = np.float32(min(1.0, strength / WHOLE))
    # Where the skins of two faces meet they share.
    alone = 1 / np.maximum(np.sum([each.blend for each in evened], axis=0), np.float32(1))
    for each in evened:
        skin, shine = np.maximum(skin, each.blend), np.minimum(shine, each.shine)
        contrast = np.maximum(contrast, whole * each.contrast)
        gain = gain + alone * each.blend * (each.gain - rest)
        red, blue = red + alone * each.red, blue + alone * each.blue
    gain = _kept_rest(person, [each.skin.face for each in evened], gain)
    opaque = person.inside
    beside = weighted_means((gain, red, blue), opaque, EDGE_SIGMA)
    gain, red, blue = (
        plane * opaque + (1 - opaque) * mean for plane, mean in zip((gain, red, blue), beside, strict=True)
    )
    gain, red, blue = np.float32(strength) * gain + (whole - np.float32(strength)) * shine, whole * red, whole * blue
    spread = float(np.std(gain[opaque > 0.5])) * float(np.log(2))
    factors = _factors(person, skin, gain, red, blue) * (1 + contrast)[..., None]
    return Gains(factors, offsets(person, weight, contrast, evened[0].skin.face.height), spread)


def _parts_by_face(person: Person, faces: Sequence[NDArray[np.float32]]) -> list[tuple[Person, Face]]:
    shape = (person.inside.shape[0], person.inside.shape[1])
    found = [Face(points, shape) for points in faces[:MOST_FACES]]
    found = [face for face in found if face.height >= SMALLEST_FACE * found[0].height]
    if len(found) == 1:
        return [(person, found[0])]
    nearest = np.argmin([face.outward - face.inward for face in found], axis=0)
    return [
        (person.part(face.blurred((nearest == number).astype(np.float32), 0.05)), face)
        for number, face in enumerate(found)
    ]


def _even(person: Person, face: Face, color_strength: float) -> _Evened | None:
    skin = find_skin(person, face)
    if skin is None:
        return None
    highlights = find_highlights(person, skin)
    light = even_skin(person, skin, highlights)
    red, blue = even_color(person, skin, highlights, light, color_strength)
    gain = with_less_cut(person, skin, highlights, light.gain, [red, blue])
    gain = np.where(gain > 0, gain * (1 - HAIR_UNLIFTED * skin.hair(person)), gain)
    # What is bright in a shade, such as teeth and wet lids, is not lifted beyond what is bright in the light.
    over = person.log_light - np.float32(skin.level) + gain - np.float32(BRIGHTEST)
    gain = np.where(gain > 0, np.maximum(gain - OVER_SPARED * np.maximum(over, 0), 0), gain)
    blend = skin.blend * (person.inside > 0)
    # No more of a highlight than what is taken in all.
    shine = np.maximum(light.highlight, np.minimum(gain, 0)) * blend
    contrast = lacking_contrast(person, skin, highlights, gain)
    return _Evened(skin, blend.astype(np.float32), gain, red, blue, shine, contrast)


def _kept_rest(person: Person, faces: Sequence[Face], gain: Plane) -> Plane:
    # What is not the face keeps its median, or nearly so.
    others = person.inside > 0.9
    for face in faces:
        others &= face.hull == 0
    if np.count_nonzero(others) <= 100:
        return gain
    shift = float(median((person.log_light + gain)[others]) - median(person.log_light[others]))
    if abs(shift) <= REST_SHIFT:
        return gain
    beside = np.prod([1 - face.soft_hull(0.06) for face in faces], axis=0)
    return gain * (1 - beside * np.float32(1 - REST_SHIFT / abs(shift)))


def _factors(person: Person, skin: Plane, gain: Plane, red: Plane, blue: Plane) -> LinearRgb:
    # Plane by plane, which takes half as long as pixels of three channels.
    channels, light, small = planes_of(person.rgb), person.light, np.float32(1e-3)
    ratios = [cv2.exp(red), np.ones_like(red), cv2.exp(blue)]
    colored = sum(
        plane * ratio * np.float32(weight)
        for plane, ratio, weight in zip(channels, ratios, LUMINANCE_WEIGHTS, strict=True)
    )
    gray = np.exp2(gain) * (light + small) / (colored + small)
    # With the floor of the colour ratios, dark skin keeps exactly the ratios that it is led to.
    floor = np.float32(COLOR_FLOOR) * cv2.GaussianBlur(skin, (0, 0), 0.8)
    factors = [
        _exact(gray * ratio, floor / np.maximum(plane, small)) for plane, ratio in zip(channels, ratios, strict=True)
    ]
    # What is lifted is compressed before it clips, and never under what it was.
    before = cv2.dilate(person.peak, np.ones((3, 3), np.uint8))
    after = before * cv2.max(cv2.max(factors[0], factors[1]), factors[2])
    bent = np.maximum(shoulder(after, SHOULDER_START, SHOULDER_TOP), np.minimum(before, after))
    compressed = np.where(after > small, bent / np.maximum(after, small), 1).astype(np.float32)
    return cv2.merge([factor * compressed for factor in factors])


def _exact(factor: Plane, floor: Plane) -> Plane:
    exact = factor + floor * (factor - 1)
    return np.clip(exact, factor * GAIN_LIMITS[0], factor * GAIN_LIMITS[1]).astype(np.float32)
