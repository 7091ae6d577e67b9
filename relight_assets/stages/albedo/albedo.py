"""The person without the photo's own light, as far as one image shows: the same person, evenly lit.

Multi-scale retinex (Jobson, Rahman, Woodell, IEEE TIP 1997) whose surrounds are kept within one material, so that a
face beside dark hair is not evened toward it: skin within the skin of that person, at several levels of luminance (as
in the bilateral grid of Paris and Durand, ECCV 2006), without its highlights (dichromatic reflection, Shafer 1985), and
everything else within soft clusters of one colour.  The face's median is that of the photo.  Where no face is known,
the surrounds are kept within paints: :mod:`~relight_assets.stages.albedo.edge_aware`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe.albedo import AlbedoMethod, AlbedoMix, Retinex
from relight_assets.core.arrays import Gray8, LinearRgb, Plane, Points, Rgb8, Rgba8
from relight_assets.core.color import decode, encode, highlight_rolloff, largest_channel, luminance_of_planes, planes_of
from relight_assets.core.dither import dither
from relight_assets.core.rng import stream, uniform, weighted
from relight_assets.core.rounding import rounded
from relight_assets.stages.albedo import edge_aware
from relight_assets.stages.albedo.materials.gains import Gains, find_gains
from relight_assets.stages.albedo.materials.person import reduced
from relight_assets.stages.albedo.msr_classic import msr_classic

CODE_VERSION = "9"

OFFSET_SEEN = 1e-4
"""Linear light below which an offset is not seen: a third of the lowest display code."""
SHOULDER_START, SHOULDER_TOP = 0.75, 0.97
"""Linear light at which highlights begin to be compressed, and which they approach."""


@dataclass(frozen=True)
class Albedo:
    """The albedo and how it was found.

    ``image`` is (H, W, 3) uint8 sRGB, 0 where alpha is 0.  ``numbers`` are plain values for the record,
    rounded to 6 decimals.
    """

    image: Rgb8
    numbers: dict[str, float | str]


def draw_method(mix: AlbedoMix, seed: int, source_sha256: str, variant: int = 0) -> AlbedoMethod:
    """The method of one image, by the weights of the recipe."""
    return weighted(stream(seed, source_sha256, variant, "albedo/method"), mix.weights)


def with_strength(parameters: Retinex, source_sha256: str) -> Retinex:
    """The parameters with the strength of one image.  Another seed means other lights, on the same albedo."""
    strength = uniform(stream(0, source_sha256, 0, "albedo/strength"), parameters.strengths)
    return parameters.model_copy(update={"strength": rounded(strength)})


def grain(source_sha256: str) -> Generator:
    """The noise one image is dithered with, which does not depend on the seed either."""
    return stream(0, source_sha256, 0, "albedo/dither")


def extract(
    foreground: Rgba8,
    parameters: Retinex,
    method: AlbedoMethod = "retinex",
    noise: Generator | None = None,
    faces: Sequence[Points] = (),
) -> Albedo:
    """Even the light on a person, and a little of its colour.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB, straight alpha.
        parameters: ``albedo_extraction.methods.retinex`` of the recipe; where it gives no strength but a range of
            them, the middle is taken (:func:`with_strength` draws).
        method: ``retinex_fast`` leaves the integration out; ``msr_classic`` is that of the earlier scripts.
        noise: what the colours are dithered with before they are multiplied; None: they are not.
        faces: (468, 3) float32 meshes in the foreground's pixels, largest first; ``retinex`` alone uses them.

    Returns:
        The albedo, for all pixels with alpha above 0.  Statistics are taken where alpha is above 127.  Its level is the
        photo's own: the median luminance of the face's skin stays, or that of the person where there is no face.
    """
    image = np.zeros((*foreground.shape[:2], 3), np.uint8)
    if method == "msr_classic":
        return Albedo(msr_classic(foreground, parameters.scales), {"method": method})
    numbers: dict[str, float | str] = {"method": method, "surround": parameters.surround}
    alpha = cv2.extractChannel(foreground, 3)
    x, y, width, height = cv2.boundingRect(alpha)
    if width == 0:
        return Albedo(image, numbers | {"gain": 1.0, "shading_spread": 0.0, "subject_size": 0.0})
    person = foreground[y : y + height, x : x + width]
    strength = sum(parameters.strengths) / 2
    by_skin = method == "retinex" and parameters.surround == "edge_aware"
    inner = [points - np.array((x, y, 0), np.float32) for points in faces]
    gains = _gains(person, inner, strength, parameters.color_strength) if by_skin and inner else None
    if gains is None:
        frame = max(foreground.shape[:2]) / width
        image[y : y + height, x : x + width], found = _within_paints(person, parameters, method, noise, frame)
    else:
        image[y : y + height, x : x + width] = _multiplied(person, gains, noise)
        mask = cv2.threshold(alpha, 127, 1, cv2.THRESH_BINARY)[1]
        size = float(np.sqrt(cv2.countNonZero(mask)))
        found = {"gain": 1.0, "shading_spread": gains.spread, "subject_size": size}
    numbers |= {"strength": strength, "color_strength": float(parameters.color_strength), **found}
    return Albedo(image, rounded(numbers))


def _gains(person: Rgba8, faces: Sequence[Points], strength: float, color_strength: float) -> Gains | None:
    *colors, alpha = planes_of(person)
    small, points = reduced(cv2.merge(colors), alpha, faces)
    return find_gains(small, points, strength, color_strength)


def _multiplied(person: Rgba8, gains: Gains, noise: Generator | None) -> Rgb8:
    *colors, alpha = planes_of(person)
    linear = [decode(plane) for plane in colors]
    if noise is not None:
        dither(linear, noise)
    size = (alpha.shape[1], alpha.shape[0])
    _, inside = cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)
    _subtract(linear, gains.offsets)
    encoded = (
        encode(plane, cv2.resize(factor, size, interpolation=cv2.INTER_LINEAR))
        for plane, factor in zip(linear, planes_of(gains.factors), strict=True)
    )
    return cv2.merge([cv2.bitwise_and(plane, inside) for plane in encoded])


def _subtract(linear: Sequence[Plane], offsets: LinearRgb) -> None:
    # In place, and only around what is not 0: a part of the face.
    left, top, width, height = cv2.boundingRect((largest_channel(offsets) > OFFSET_SEEN).astype(np.uint8))
    if width == 0:
        return
    across, down = (size / small for size, small in zip(linear[0].shape[::-1], offsets.shape[1::-1], strict=True))
    x, y = int(max(left - 1, 0) * across), int(max(top - 1, 0) * down)
    part = np.s_[y : int((top + height + 1) * down), x : int((left + width + 1) * across)]
    # Pixel centers have whole coordinates, as in cv2.resize.
    place = np.array([[1 / across, 0, (x + 0.5) / across - 0.5], [0, 1 / down, (y + 0.5) / down - 0.5]])
    for plane, offset in zip(linear, planes_of(offsets), strict=True):
        there = plane[part]
        size = (there.shape[1], there.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.subtract(there, cv2.warpAffine(offset, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), there)


def _within_paints(
    person: Rgba8, parameters: Retinex, method: AlbedoMethod, noise: Generator | None, frame: float
) -> tuple[Rgb8, dict[str, float | str]]:
    # ``frame``: longest side of the whole image over the person's width.
    *colors, inside = planes_of(person)
    height, width = inside.shape
    linear = [decode(plane) for plane in colors]
    _, mask = cv2.threshold(inside, 127, 1, cv2.THRESH_BINARY)
    if not cv2.hasNonZero(mask):
        _, mask = cv2.threshold(inside, 0, 1, cv2.THRESH_BINARY)
    light = luminance_of_planes(linear)
    small = edge_aware.reduced(linear, mask)
    some = some_of(mask)
    before = light[some]
    gain_map, spread = edge_aware.inverse_shading(
        light, small, parameters, sum(parameters.strengths) / 2, frame=frame * small.weight.shape[1], method=method
    )
    del light  # it was used up, and memory counts at full size

    # One gain brings the median back: what is removed is the change of light, not the light.
    gain = float(np.median(before)) / max(float(np.median(before * gain_map[some])), 1e-6)
    gain = float(np.clip(gain, 0.25, 4.0))
    gain_map *= np.float32(gain)
    if noise is not None:
        dither(linear, noise)
    for plane in linear:
        cv2.multiply(plane, gain_map, plane)
    del gain_map
    if parameters.color_strength > 0:
        for plane, factor in zip(linear, edge_aware.color_factors(small, parameters.color_strength), strict=True):
            cv2.multiply(plane, cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR), plane)
    numbers: dict[str, float | str] = {
        "gain": gain,
        "shading_spread": spread,
        "subject_size": small.subject / small.scale,
    }
    return finished(linear, inside), numbers


def finished(linear: Sequence[Plane], alpha: Gray8) -> Rgb8:
    """Encode three (H, W) planes of linear R, G, B, highlights compressed: (H, W, 3) uint8 sRGB, 0 where alpha is 0."""
    # By the largest channel, so that highlights keep their colour.
    rolloff = highlight_rolloff(linear, SHOULDER_START, SHOULDER_TOP)
    _, inside = cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)
    return cv2.merge([cv2.bitwise_and(encode(plane, rolloff), inside) for plane in linear])


def some_of(mask: Gray8) -> tuple[NDArray[np.intp], ...]:
    """Rows and columns of a sixteenth of a mask's pixels: enough for a median, and a sixteenth of the sorting."""
    rows, columns = np.nonzero(mask[::4, ::4])
    return (4 * rows, 4 * columns) if rows.size else np.nonzero(mask)
