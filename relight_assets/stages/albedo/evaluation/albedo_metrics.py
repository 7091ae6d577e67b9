"""How good one albedo is, as numbers.

Each stands beside the photo, so no truth is needed.  Contrast kept and light left only mean something together: each
alone is met by doing nothing, or by paint.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from relight_assets.core.arrays import Mask, Pixels8, Plane, Points, Rgb8, Rgba8, Triangles
from relight_assets.core.color import decode, luminance, planes_of
from relight_assets.core.rounding import rounded
from relight_assets.stages.albedo.evaluation.chroma_step import chroma_step
from relight_assets.stages.albedo.evaluation.face_view import OPAQUE, FaceView, view_of
from relight_assets.stages.albedo.evaluation.skin_light import (
    MIN_SKIN,
    face_chroma,
    highlight_left,
    mid_contrast,
    own_light_left,
)
from relight_assets.stages.face_features import EDGE
from relight_assets.stages.quantiles import median

PERSON_SIDE = 256
"""Pixels of the longest side, about, that the whole person is measured at."""
LEVEL_FLOOR = 0.001
"""Linear luminance that is added to medians before they are divided: below it, 8 bits have few levels."""
DARK, DARK_FLOOR = (0.001, 0.03), 0.002
"""Linear luminance of dark hair and cloth, and what is added to it before the logarithm."""
MIN_SHARE = 0.01
"""Share of the person's pixels that dark things must have, to be measured."""
END = 254
"""Display level at which a channel is clipped."""


@dataclass(frozen=True)
class AlbedoMetrics:
    """How an albedo stands to its photo.  None: there is no face, or too little to measure it by."""

    skin_against_rest: float | None = None
    """By how much the face's skin became lighter against the rest of the person, stops."""
    mid_contrast: float | None = None
    """Contrast of pores, stubble and wrinkles over the photo's."""
    own_light_left: float | None = None
    """Share of the photo's light on the face's shape that is left; None where the shape tells none."""
    chroma_step: float | None = None
    """Change of skin's ln R/G and ln B/G at the face's outline, beyond the photo's."""
    highlight_left: float | None = None
    """Share of the skin's highlights that is left; None where it had none."""
    dark_lift: float | None = None
    """By how much dark hair and cloth became lighter, stops; None where there is little."""
    newly_clipped: float | None = None
    """Share of the person with a channel at its end that was not in the photo."""
    face_chroma: float | None = None
    """Chroma of the face's skin over the photo's."""

    def plain(self) -> dict[str, Any]:
        """For the record, rounded to 6 decimals."""
        return rounded(asdict(self))


NOT_MEASURED = AlbedoMetrics()
"""Of a record that does not say."""


def measure_albedo(foreground: Rgba8, albedo: Rgb8, faces: Sequence[Points], triangles: Triangles) -> AlbedoMetrics:
    """Measure an albedo.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB: the photo's person.
        albedo: (H, W, 3) uint8 sRGB.
        faces: (468, 3) float32 meshes in its pixels, the largest first; of several that one is measured.
        triangles: (N, 3) point numbers, counter-clockwise on screen where they face the camera.
    """
    face = faces[0] if faces else None
    view = view_of(foreground, albedo, face) if face is not None else None
    rest = _Rest.of(foreground, albedo, face)
    return AlbedoMetrics(
        skin_against_rest=_skin_against_rest(view, rest) if view is not None else None,
        mid_contrast=mid_contrast(view) if view is not None else None,
        own_light_left=own_light_left(view, triangles) if view is not None else None,
        chroma_step=chroma_step(view) if view is not None else None,
        highlight_left=highlight_left(view) if view is not None else None,
        dark_lift=rest.dark_lift(),
        newly_clipped=rest.newly_clipped(),
        face_chroma=face_chroma(view) if view is not None else None,
    )


@dataclass(frozen=True)
class _Rest:
    """The person by few of its pixels, in the photo and in the albedo."""

    photo: Rgb8
    albedo: Rgb8
    person: Mask
    light: tuple[Plane, Plane]
    """Linear luminance of both."""
    outside: Mask
    """Beside the mesh."""
    apart: Mask
    """Beside the mesh by more than ``EDGE`` of its height."""

    @classmethod
    def of(cls, foreground: Rgba8, albedo: Rgb8, face: Points | None) -> "_Rest":
        height, width = albedo.shape[:2]
        step = max(1, round(max(height, width) / PERSON_SIDE))
        size = (-(-width // step), -(-height // step))
        some, own = (cv2.resize(image, size, interpolation=cv2.INTER_NEAREST) for image in (foreground, albedo))
        photo = cv2.cvtColor(some, cv2.COLOR_RGBA2RGB)
        outline = np.ones(some.shape[:2], np.uint8)
        edge = 0.0
        if face is not None:
            hull = cv2.convexHull(np.rint(face[:, :2] / np.float32(step)).astype(np.int32))
            cv2.fillConvexPoly(outline, hull, 0)
            edge = EDGE * float(np.ptp(face[:, 1])) / step
        apart = cv2.distanceTransform(outline, cv2.DIST_L2, 3) > edge if face is not None else outline > 0
        light = luminance(decode(photo)), luminance(decode(own))
        return cls(photo, own, some[..., 3] > OPAQUE, light, outline > 0, apart)

    def newly_clipped(self) -> float | None:
        before, after = (_brightest(image) >= END for image in (self.photo, self.albedo))
        pixels = int(np.count_nonzero(self.person))
        return int(np.count_nonzero(after & ~before & self.person)) / pixels if pixels else None

    def dark_lift(self) -> float | None:
        before, after = self.light
        low, high = DARK
        dark = self.apart & self.person & (before >= low) & (before <= high)
        if np.count_nonzero(dark) < max(MIN_SKIN, MIN_SHARE * np.count_nonzero(self.person)):
            return None
        ratio = (after[dark] + np.float32(DARK_FLOOR)) / (before[dark] + np.float32(DARK_FLOOR))
        return float(np.log2(np.median(ratio)))

    def change(self) -> float | None:
        """By how much the median of what is not the face changed, stops."""
        where = self.outside & self.person
        return _change(self.light, where) if np.count_nonzero(where) >= MIN_SKIN else None


def _skin_against_rest(view: FaceView, rest: _Rest) -> float | None:
    others = rest.change()
    if others is None or np.count_nonzero(view.skin) < MIN_SKIN:
        return None
    return _change(view.light, view.skin) - others


def _change(light: tuple[Plane, Plane], where: Mask) -> float:
    before, after = (float(median(plane[where][::4])) + LEVEL_FLOOR for plane in light)  # enough for a median
    return float(np.log2(after / before))


def _brightest(image: Pixels8) -> Pixels8:
    red, green, blue = planes_of(image)
    return cv2.max(cv2.max(red, green), blue)
