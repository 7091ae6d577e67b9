"""The person at the size at which its light is found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, LinearRgb, Plane, Points, Rgb8
from relight_assets.core.color import decode, luminance, planes_of
from relight_assets.stages.albedo.masked_filters import shrunk
from relight_assets.stages.albedo.materials.filters import ramp

FACE_HEIGHT = 150
"""Height of a face that is enough to tell skin from brows and hair, pixels."""
SHORTEST, LONGEST = 208, 288
"""The person's longest side is between these, pixels, where its face allows it."""
SMALL_FACE, SMALL_FACE_SIDE = 80, 300
"""A face that would have fewer pixels at the longest side is given so many, up to a longest side of this."""
LIGHT_FLOOR = 0.004
"""Added before the logarithm, linear: noise in black hair is no shading."""
COLOR_FLOOR = 0.01
"""Likewise for ratios of colours, which are noise earlier."""
OPAQUE = (0.4, 0.95)
"""Alpha from which a pixel begins to count, and from which it does so fully."""


@dataclass(frozen=True)  # planes are computed once, when asked for
class Person:
    """(h, w) planes, float32."""

    rgb: LinearRgb
    """(h, w, 3) linear."""
    inside: Plane
    """How surely a pixel is the person, 0..1."""

    @cached_property
    def light(self) -> Plane:
        """Luminance, linear."""
        return luminance(self.rgb)

    @cached_property
    def log_light(self) -> Plane:
        """log2 of luminance, stops."""
        return cv2.log(self.light + np.float32(LIGHT_FLOOR)) * np.float32(1 / np.log(2))

    @cached_property
    def log_ratios(self) -> tuple[Plane, Plane]:
        """Ln R/G and ln B/G."""
        red, green, blue = planes_of(cv2.log(self.rgb + np.float32(COLOR_FLOOR)))
        return red - green, blue - green

    @cached_property
    def saturation(self) -> Plane:
        """1 - smallest over largest channel, 0..1."""
        return saturation(*self.log_ratios)

    @cached_property
    def peak(self) -> Plane:
        """The largest channel, linear."""
        red, green, blue = planes_of(self.rgb)
        return cv2.max(cv2.max(red, green), blue)

    @cached_property
    def size(self) -> float:
        """Root of the person's area, pixels."""
        return float(np.sqrt(self.inside.sum(dtype=np.float64)))

    def part(self, share: Plane) -> "Person":
        """The same, where ``share`` (0..1) is not 0."""
        return replace(self, inside=self.inside * share)


def saturation(red: Plane, blue: Plane) -> Plane:
    """Return 1 - smallest over largest channel, of ln R/G and ln B/G."""
    low, high = np.minimum(np.minimum(red, blue), 0), np.maximum(np.maximum(red, blue), 0)
    return 1 - np.exp(low - high)


def reduced(rgb: Rgb8, alpha: Gray8, faces: Sequence[Points]) -> tuple[Person, list[NDArray[np.float32]]]:
    """Reduce a person to the size at which its light is found.

    Args:
        rgb: (H, W, 3) uint8 sRGB, 0 where alpha is.
        alpha: (H, W) uint8.
        faces: meshes in its pixels, at least one, largest first.

    Returns:
        The person, and (N, 2) points of each face in its pixels.
    """
    height, width = alpha.shape
    scale = _scale(float(np.ptp(faces[0][:, 1])), max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    _, solid = cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)
    colors, covered, opacity = (shrunk(plane, size, 2) for plane in (rgb, solid, alpha))
    # What is beside the person is black there, and is taken out of the mean.
    cover = np.maximum(covered, 1).astype(np.float32) * np.float32(1 / 255)
    whole = cv2.divide(colors.astype(np.float32), cv2.merge([cover] * 3))
    linear = decode(np.clip(np.rint(whole), 0, 255).astype(np.uint8))
    inside = ramp(opacity.astype(np.float32) * np.float32(1 / 255), *OPAQUE)
    ratio = np.array([size[0] / width, size[1] / height], np.float32)
    half = np.float32(0.5)
    return Person(linear, inside), [(points[:, :2] + half) * ratio - half for points in faces]


def _scale(face: float, side: int) -> float:
    if face * LONGEST < SMALL_FACE * side:
        return min(1.0, SMALL_FACE_SIDE / side, SMALL_FACE / max(face, 1.0))
    return min(1.0, float(np.clip(FACE_HEIGHT / face, SHORTEST / side, LONGEST / side)))
