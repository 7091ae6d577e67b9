"""The person without the photo's own light, as far as one image tells.

Multi-scale retinex (Jobson, Rahman, Woodell, IEEE TIP 1997), changed where its textbook form
bleaches faces: on luminance only, so that colours stay; inside the mask only, so that the
background does not matter; after an edge-stopped integration has taken the shading that has no
edge, so that dark hair does not turn the face beside it gray; with edge-aware surrounds and radii
that follow the size of the subject; and with the exposure put back instead of a stretch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from relight_assets.config.recipe import recipe
from relight_assets.core.arrays import Gray8, LinearRgb, Plane, Rgb8, Rgba8
from relight_assets.core.color import (
    decode,
    encode,
    highlight_rolloff,
    luminance,
    luminance_of_planes,
    safe_ratio,
)
from relight_assets.core.dither import dither
from relight_assets.core.rng import stream, weighted
from relight_assets.core.rounding import rounded
from relight_assets.stages.albedo.msr_classic import msr_classic
from relight_assets.stages.integrated_shading import Borders, borders, integrated

CODE_VERSION = "4"

RADII = (0.10, 0.20, 0.40)
"""Radii of the edge-aware surrounds, in units of the subject's size s = sqrt(mask pixels)."""
EDGE_EPSILON = 2.0
"""Variance of log luminance, in nepers squared, at which a surround follows half of an edge."""
FAST_EPSILON = 1.0
"""The same, where the surrounds are all there is."""
SURROUND_SHARE = 0.20
"""Weight of the surrounds beside the integrated shading."""
LUMINANCE_FLOOR = 0.01
"""Added before the logarithm, linear: keeps noise in black hair from exploding."""
SHOULDER_START, SHOULDER_TOP = 0.75, 0.97
"""Linear light at which highlights begin to be compressed, and which they approach."""
SURROUND_SIDE = 256
"""Longest side at which surrounds are computed; the smallest radius is some ten of its pixels."""
COLOR_RADIUS = 0.40
COLOR_ROUNDS = 2
COLOR_REACH = 0.2
"""Largest change of a log colour ratio that counts as coloured light; more than that is paint."""


@dataclass(frozen=True)
class Albedo:
    """The albedo and how it was found.

    ``image`` is (H, W, 3) uint8 sRGB, 0 where alpha is 0.  ``numbers`` are plain values for the record,
    rounded to 6 decimals.
    """

    image: Rgb8
    numbers: dict[str, float | str]


def draw_method(mix: recipe.AlbedoMix, seed: int, source_sha256: str, variant: int = 0) -> recipe.AlbedoMethod:
    """The method of one image, by the weights of the recipe."""
    return weighted(stream(seed, source_sha256, variant, "albedo/method"), mix.weights)


def grain(source_sha256: str) -> Generator:
    """The noise one image is dithered with.  Another seed means other lights, on the same albedo."""
    return stream(0, source_sha256, 0, "albedo/dither")


def extract(
    foreground: Rgba8,
    parameters: recipe.Retinex,
    method: recipe.AlbedoMethod = "retinex",
    noise: Generator | None = None,
) -> Albedo:
    """Remove slow changes of brightness, and a little of those of colour, from a person.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB, straight alpha.
        parameters: ``albedo_extraction.methods.retinex`` of the recipe.
        method: ``retinex_fast`` leaves the integration out; ``msr_classic`` is that of the earlier scripts.
        noise: what the colours are dithered with before they are multiplied; None: they are not.

    Returns:
        The albedo, for all pixels with alpha above 0.  Statistics are taken where alpha is above
        127.  All channels of a pixel are scaled alike, except by the colour step.
    """
    image = np.zeros((*foreground.shape[:2], 3), np.uint8)
    if method == "msr_classic":
        return Albedo(msr_classic(foreground, parameters.scales), {"method": method})
    numbers: dict[str, float | str] = {"method": method, "surround": parameters.surround}
    x, y, width, height = cv2.boundingRect(foreground[..., 3])
    if width == 0:
        return Albedo(image, numbers | {"gain": 1.0, "shading_spread": 0.0, "subject_size": 0.0})
    person = foreground[y : y + height, x : x + width]
    *colors, inside = cv2.split(person)
    linear = [decode(plane) for plane in colors]
    _, mask = cv2.threshold(inside, 127, 1, cv2.THRESH_BINARY)
    if not cv2.hasNonZero(mask):
        _, mask = cv2.threshold(inside, 0, 1, cv2.THRESH_BINARY)
    light = luminance_of_planes(linear)
    small = _reduced(linear, mask)
    frame = max(foreground.shape[:2]) * small.weight.shape[1] / width
    some = some_of(mask)
    before = light[some]
    gain_map, spread = _inverse_shading(light, small, parameters, frame, method)
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
        for plane, factor in zip(linear, _color_factors(small, parameters.color_strength), strict=True):
            cv2.multiply(plane, cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR), plane)
    image[y : y + height, x : x + width] = finished(linear, inside)
    numbers |= {
        "strength": float(parameters.strength),
        "color_strength": float(parameters.color_strength),
        "gain": gain,
        "shading_spread": spread,
        "subject_size": small.subject / small.scale,
    }
    return Albedo(image, rounded(numbers))


def finished(linear: Sequence[Plane], alpha: Gray8) -> Rgb8:
    """Encode three (H, W) planes of linear R, G, B, highlights compressed: (H, W, 3) uint8 sRGB, 0 where alpha is 0."""
    # By the largest channel, so that highlights keep their colour.
    rolloff = highlight_rolloff(linear, SHOULDER_START, SHOULDER_TOP)
    _, inside = cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)
    return cv2.merge([cv2.bitwise_and(encode(plane, rolloff), inside) for plane in linear])


@dataclass  # not frozen: it remembers what was computed of it
class _Small:
    # The person at the size at which surrounds are computed.  Sides are even.
    weight: Plane
    rgb: LinearRgb
    subject: float
    scale: float

    @cached_property
    def log_light(self) -> Plane:
        return cv2.log(luminance(self.rgb) + np.float32(LUMINANCE_FLOOR))

    @cached_property
    def borders(self) -> Borders:
        return borders(self.log_light, *self.log_ratios, self.weight)

    @cached_property
    def log_ratios(self) -> tuple[Plane, Plane]:
        red, green, blue = (cv2.log(plane + np.float32(LUMINANCE_FLOOR)) for plane in cv2.split(self.rgb))
        return red - green, blue - green

    def mean(self, plane: Plane) -> float:
        return float((plane * self.weight).sum(dtype=np.float64)) / float(self.weight.sum(dtype=np.float64))


def _reduced(linear: list[Plane], mask: Gray8) -> _Small:
    height, width = mask.shape
    scale = min(1.0, SURROUND_SIDE / max(height, width))
    size = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    binary = mask.astype(np.float32)
    weight = _shrunk(binary, size)
    inside = [_shrunk(cv2.multiply(plane, binary), size) for plane in linear]
    rgb = cv2.merge([safe_ratio(plane, weight) for plane in inside])
    return _Small(weight, rgb, float(np.sqrt(np.count_nonzero(mask))) * scale, scale)


def _shrunk(plane: Plane, size: tuple[int, int]) -> Plane:
    # Halving is ten times quicker than shrinking by a crooked factor; an odd last row is let go.
    while min(plane.shape[0] / size[1], plane.shape[1] / size[0]) >= 4:
        half = (plane.shape[1] // 2, plane.shape[0] // 2)
        plane = cv2.resize(plane[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _inverse_shading(
    light: Plane,
    small: _Small,
    parameters: recipe.Retinex,
    frame: float,
    method: recipe.AlbedoMethod,
) -> tuple[Plane, float]:
    # 1 / shading^strength at full size, where ln shading has mean 0 over the mask; its standard deviation.
    # The light is turned into its logarithm in place.
    values, weight = small.log_light, small.weight
    slope, offset = np.zeros_like(values), np.zeros_like(values)
    if parameters.surround == "gaussian":
        for sigma in parameters.scales:
            surround = _masked_gaussian(values, weight, sigma * frame / 512)
            offset += surround / np.float32(len(parameters.scales))
        low, rest = offset, offset
    else:
        alone = method == "retinex_fast"
        smooth = np.zeros_like(values) if alone else integrated(values, small.borders)
        smooth -= np.float32(small.mean(smooth))
        flat = values - smooth
        share, epsilon = (1.0, FAST_EPSILON) if alone else (SURROUND_SHARE, EDGE_EPSILON)
        for radius in RADII:
            a, b = _guided(flat, weight, max(1, round(radius * small.subject)), epsilon)
            slope += a * np.float32(share / len(RADII))
            offset += b * np.float32(share / len(RADII))
        # The surround is slope * (L - smooth) + offset; the parts are put together before they are enlarged.
        low = smooth + slope * flat + offset
        rest = smooth * (1 - slope) + offset
    mean = small.mean(low)
    spread = float(np.sqrt(small.mean(np.square(low - np.float32(mean)))))
    strength = np.float32(-parameters.strength)
    size = (light.shape[1], light.shape[0])
    result = cv2.resize((rest - np.float32(mean)) * strength, size, interpolation=cv2.INTER_CUBIC)
    grown = cv2.resize(slope * strength, size, interpolation=cv2.INTER_LINEAR)
    light += np.float32(LUMINANCE_FLOOR)
    cv2.add(result, cv2.multiply(grown, cv2.log(light, light), grown), result)
    return cv2.exp(result, result), spread


def _guided(values: Plane, weight: Plane, radius: int, epsilon: float) -> tuple[Plane, Plane]:
    # Guided filter of an image by itself (He, Sun, Tang, PAMI 2013); each mean is over mask pixels only.
    inverse = safe_ratio(np.ones_like(weight), _box(weight, radius))
    weighted = values * weight
    mean = _box(weighted, radius) * inverse
    variance = np.maximum(_box(weighted * values, radius) * inverse - mean * mean, np.float32(0))
    a = safe_ratio(variance, variance + np.float32(epsilon))
    b = mean * (1 - a)
    return _box(a * weight, radius) * inverse, _box(b * weight, radius) * inverse


def _box(plane: Plane, radius: int) -> Plane:
    # Zero outside: what is beyond the crop is not the person.
    return cv2.boxFilter(plane, -1, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_CONSTANT)


def _masked_gaussian(values: Plane, weight: Plane, sigma: float) -> Plane:
    # At the surrounds' size a Gaussian of 250 of 512 pixels is still wide: it is blurred smaller yet.
    height, width = values.shape
    shrink = max(1, int(np.sqrt(sigma)))
    size = (max(1, width // shrink), max(1, height // shrink))
    both = cv2.merge([values * weight, weight])
    both = cv2.resize(both, size, interpolation=cv2.INTER_AREA)
    factor = width / size[0]
    # Shrinking and growing blur as well, by a variance that is taken off here.
    variance = (sigma * sigma - (factor * factor - 1) / 12 - factor * factor / 6) / (factor * factor)
    if variance > 0.01:
        both = cv2.GaussianBlur(both, (0, 0), float(np.sqrt(variance)), borderType=cv2.BORDER_CONSTANT)
    both = cv2.resize(both, (width, height), interpolation=cv2.INTER_LINEAR)
    return safe_ratio(both[..., 0], both[..., 1])


def _color_factors(small: _Small, strength: float) -> list[Plane]:
    # Per channel, at the surrounds' size, what takes part of a slow warm-cool change away and leaves luminance alone.
    # Slow within one paint: a blur over all would take red lips and a blue shirt for coloured light.
    weight = small.weight
    radius = max(1, round(COLOR_RADIUS * small.subject))
    share = _box(_box(weight, radius), radius)
    logs = []
    for ratio in small.log_ratios:
        drift = integrated(ratio, small.borders, COLOR_ROUNDS)
        slow = safe_ratio(_box(_box(drift * weight, radius), radius), share)
        slow -= np.float32(small.mean(slow))
        logs.append(np.float32(-strength * COLOR_REACH) * np.tanh(slow / np.float32(COLOR_REACH)))
    factors = [cv2.exp(logs[0]), np.ones_like(weight), cv2.exp(logs[1])]
    before = luminance(small.rgb) + np.float32(1e-4)
    after = luminance(small.rgb * cv2.merge(factors)) + np.float32(1e-4)
    return [f * before / after for f in factors]


def some_of(mask: Gray8) -> tuple[NDArray[np.intp], ...]:
    """Rows and columns of a sixteenth of a mask's pixels: enough for a median, and a sixteenth of the sorting."""
    rows, columns = np.nonzero(mask[::4, ::4])
    return (4 * rows, 4 * columns) if rows.size else np.nonzero(mask)
