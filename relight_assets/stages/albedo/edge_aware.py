"""The light on a person of whom no face is known: integration within paints, then edge-aware surrounds.

Multi-scale retinex (Jobson, Rahman, Woodell, IEEE TIP 1997), changed where its textbook form
bleaches faces: on luminance only, so that colours stay; inside the mask only, so that the
background does not matter; after an edge-stopped integration has taken the shading that has no
edge, so that dark hair does not turn the face beside it gray; with edge-aware surrounds and radii
that follow the size of the subject; and with the exposure put back instead of a stretch.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from relight_assets.config.recipe.albedo import AlbedoMethod, Retinex
from relight_assets.core.arrays import Gray8, LinearRgb, Plane
from relight_assets.core.color import luminance, planes_of, safe_ratio
from relight_assets.stages.albedo.masked_filters import box, guided, masked_gaussian, shrunk
from relight_assets.stages.integrated_shading import Borders, borders, integrated

SURROUND_SIDE = 256
"""Longest side at which surrounds are computed; the smallest radius is some ten of its pixels."""
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
COLOR_RADIUS = 0.40
COLOR_ROUNDS = 2
COLOR_REACH = 0.2
"""Largest change of a log colour ratio that counts as coloured light; more than that is paint."""


@dataclass  # not frozen: it remembers what was computed of it
class Small:
    """The person at the size at which surrounds are computed: (h, w) planes, h and w even."""

    weight: Plane
    """Share of the person, 0..1."""
    rgb: LinearRgb
    subject: float
    """Root of the person's area, pixels."""
    scale: float

    @cached_property
    def log_light(self) -> Plane:
        """Ln of luminance."""
        return cv2.log(luminance(self.rgb) + np.float32(LUMINANCE_FLOOR))

    @cached_property
    def borders(self) -> Borders:
        """Where one paint ends and another begins."""
        return borders(self.log_light, *self.log_ratios, self.weight)

    @cached_property
    def log_ratios(self) -> tuple[Plane, Plane]:
        """Ln R/G and ln B/G."""
        red, green, blue = (cv2.log(plane + np.float32(LUMINANCE_FLOOR)) for plane in planes_of(self.rgb))
        return red - green, blue - green

    def mean(self, plane: Plane) -> float:
        """The mean over the person."""
        return float((plane * self.weight).sum(dtype=np.float64)) / float(self.weight.sum(dtype=np.float64))


def reduced(linear: list[Plane], mask: Gray8) -> Small:
    """Reduce a person, (H, W) planes of linear R, G, B, to the size at which surrounds are computed; mask is 0 or 1."""
    height, width = mask.shape
    scale = min(1.0, SURROUND_SIDE / max(height, width))
    size = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    binary = mask.astype(np.float32)
    weight = shrunk(binary, size, 4)
    inside = [shrunk(cv2.multiply(plane, binary), size, 4) for plane in linear]
    rgb = cv2.merge([safe_ratio(plane, weight) for plane in inside])
    return Small(weight, rgb, float(np.sqrt(np.count_nonzero(mask))) * scale, scale)


def inverse_shading(
    light: Plane,
    small: Small,
    parameters: Retinex,
    strength: float,
    *,
    frame: float,
    method: AlbedoMethod,
) -> tuple[Plane, float]:
    """Find 1 / shading^strength at full size, where ln shading has mean 0 over the mask, and its standard deviation.

    Args:
        light: (H, W) linear luminance; it is turned into its logarithm in place.
        small: the same person.
        parameters: of the method.
        strength: share of the shading that is taken out.
        frame: longest side of the whole image, pixels of ``small``.
        method: ``retinex_fast`` leaves the integration out.
    """
    values, weight = small.log_light, small.weight
    slope, offset = np.zeros_like(values), np.zeros_like(values)
    if parameters.surround == "gaussian":
        for sigma in parameters.scales:
            surround = masked_gaussian(values, weight, sigma * frame / 512)
            offset += surround / np.float32(len(parameters.scales))
        low, rest = offset, offset
    else:
        alone = method == "retinex_fast"
        smooth = np.zeros_like(values) if alone else integrated(values, small.borders)
        smooth -= np.float32(small.mean(smooth))
        flat = values - smooth
        share, epsilon = (1.0, FAST_EPSILON) if alone else (SURROUND_SHARE, EDGE_EPSILON)
        for radius in RADII:
            a, b = guided(flat, weight, max(1, round(radius * small.subject)), epsilon)
            slope += a * np.float32(share / len(RADII))
            offset += b * np.float32(share / len(RADII))
        # The surround is slope * (L - smooth) + offset; the parts are put together before they are enlarged.
        low = smooth + slope * flat + offset
        rest = smooth * (1 - slope) + offset
    mean = small.mean(low)
    spread = float(np.sqrt(small.mean(np.square(low - np.float32(mean)))))
    power = np.float32(-strength)
    size = (light.shape[1], light.shape[0])
    result = cv2.resize((rest - np.float32(mean)) * power, size, interpolation=cv2.INTER_CUBIC)
    grown = cv2.resize(slope * power, size, interpolation=cv2.INTER_LINEAR)
    light += np.float32(LUMINANCE_FLOOR)
    cv2.add(result, cv2.multiply(grown, cv2.log(light, light), grown), result)
    return cv2.exp(result, result), spread


def color_factors(small: Small, strength: float) -> list[Plane]:
    """Per channel, at the surrounds' size: takes part of a slow warm-cool change away, and leaves luminance alone."""
    # Slow within one paint: a blur over all would take red lips and a blue shirt for coloured light.
    weight = small.weight
    radius = max(1, round(COLOR_RADIUS * small.subject))
    share = box(box(weight, radius), radius)
    logs = []
    for ratio in small.log_ratios:
        drift = integrated(ratio, small.borders, COLOR_ROUNDS)
        slow = safe_ratio(box(box(drift * weight, radius), radius), share)
        slow -= np.float32(small.mean(slow))
        logs.append(np.float32(-strength * COLOR_REACH) * np.tanh(slow / np.float32(COLOR_REACH)))
    factors = [cv2.exp(logs[0]), np.ones_like(weight), cv2.exp(logs[1])]
    before = luminance(small.rgb) + np.float32(1e-4)
    after = luminance(small.rgb * cv2.merge(factors)) + np.float32(1e-4)
    return [f * before / after for f in factors]
