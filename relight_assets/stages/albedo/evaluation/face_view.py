"""A face in the photo and in its albedo, both scaled to one height, and where in it there is skin."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, LinearRgb, Mask, Pixels8, Plane, Points, Rgb8, Rgba8
from relight_assets.core.color import decode, luminance
from relight_assets.stages.face_features import EDGE, FEATURES

HEIGHT = 192
"""Pixels of the face in a view: with 256 nothing differs by more than .03, and it takes half as long again."""
SOME = np.s_[::2, ::2]
"""A quarter of a view's pixels: enough for medians, and for what is wide."""
MIN_HEIGHT = 64
"""Pixels of the face in the photo below which nothing is measured of it."""
MARGIN = 0.1
"""Around the face, in units of its height: what lies beside it is compared with it."""
OPAQUE = 250
"""Alpha above which a pixel is the person's alone."""
UNCLIPPED = 249
"""Display level, once scaled, up to which no channel of a pixel was at its end."""
FLOOR = np.float32(0.004)
"""Linear luminance that is added before the logarithm."""


@dataclass(frozen=True)
class FaceView:
    """A face, ``HEIGHT`` pixels high, with some margin."""

    photo: LinearRgb
    albedo: LinearRgb
    person: Mask
    """Where alpha is above ``OPAQUE``."""
    unclipped: Mask
    """Where no channel of the photo is at its end."""
    points: Points
    """(468, 3) in pixels of the view: x right, y down, z on the same scale."""

    @cached_property
    def hull(self) -> Gray8:
        """1 within the outline of the mesh."""
        return _filled(self.points[:, :2], self.person.shape)

    @cached_property
    def inside(self) -> Plane:
        """How far within the outline, in units of the face's height; 0 outside."""
        return cv2.distanceTransform(self.hull, cv2.DIST_L2, 3) * np.float32(1 / HEIGHT)

    @cached_property
    def skin(self) -> Mask:
        """The face without its rim, eyes, brows and lips."""
        others = np.ones(self.person.shape, np.uint8)
        for ring in FEATURES:
            _fill(others, self.points[list(ring), :2], 0)
        beside = cv2.distanceTransform(others, cv2.DIST_L2, 3)
        return (self.inside > EDGE) & (beside > EDGE * HEIGHT) & self.person

    @cached_property
    def light(self) -> tuple[Plane, Plane]:
        """Linear luminance of photo and albedo."""
        return luminance(self.photo), luminance(self.albedo)

    @cached_property
    def logs(self) -> tuple[Plane, Plane]:
        """log2 of both, in stops."""
        photo, albedo = (cv2.log(plane + FLOOR) * np.float32(1 / np.log(2)) for plane in self.light)
        return photo, albedo


def view_of(foreground: Rgba8, albedo: Rgb8, face: Points) -> FaceView | None:
    """Cut a face out.

    Args:
        foreground: (H, W, 4) uint8 RGBA, sRGB: the photo's person.
        albedo: (H, W, 3) uint8 sRGB.
        face: (468, 3) float32 mesh in its pixels.

    Returns:
        None where the face is too small, or not in the photo.
    """
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    height = float(high[1] - low[1])
    if not MIN_HEIGHT <= height <= np.inf:
        return None
    margin = MARGIN * height
    left, top = (max(0, int(edge - margin)) for edge in low)
    right, bottom = (min(size, int(edge + margin) + 1) for edge, size in zip(high, albedo.shape[1::-1], strict=True))
    if right - left < MIN_HEIGHT / 2 or bottom - top < MIN_HEIGHT / 2:
        return None
    part = np.s_[top:bottom, left:right]
    scale = HEIGHT / height
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    factors = np.array([size[0] / (right - left), size[1] / (bottom - top), scale], np.float32)
    # Pixel centers have whole coordinates.
    points = (face[:, :3] - np.array([left - 0.5, top - 0.5, 0], np.float32)) * factors - np.array([0.5, 0.5, 0])
    person = _scaled(foreground[part], size)
    photo = cv2.cvtColor(person, cv2.COLOR_RGBA2RGB)
    return FaceView(
        photo=decode(photo),
        albedo=decode(_scaled(albedo[part], size)),
        person=person[..., 3] > OPAQUE,
        unclipped=cv2.inRange(photo, (0, 0, 0), (UNCLIPPED,) * 3) > 0,
        points=points.astype(np.float32),
    )


def _scaled(image: Pixels8, size: tuple[int, int]) -> NDArray[np.uint8]:
    while image.shape[1] >= 1.5 * size[0] and image.shape[0] >= 1.5 * size[1]:  # halving is ten times quicker
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    shrinks = size[0] <= image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _filled(points: NDArray[np.float32], shape: tuple[int, ...]) -> Gray8:
    drawn = np.zeros(shape, np.uint8)
    _fill(drawn, points, 1)
    return drawn


def _fill(image: Gray8, points: NDArray[np.float32], value: int) -> None:
    cv2.fillConvexPoly(image, cv2.convexHull(np.rint(points).astype(np.int32)), value)
