"""A person's shape from a depth map or a normal map, brought to what the light needs: a height field.

Such maps come from a depth sensor, a light stage, or a network.  Depth is known up to scale and offset, so it is given
the range of the shape that mask and face mesh make (:mod:`geometry`); normals are integrated by least squares (Frankot,
Chellappa, PAMI 1988), on the cosine basis, inside the mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane, Points, Triangles
from relight_assets.stages.degraded.geometry import height_field
from relight_assets.stages.degraded.geometry.filters import inward_distance, smooth
from relight_assets.stages.degraded.geometry.height_field import STEEPEST
from relight_assets.stages.integrated_shading import integrate

RANGE = (2.0, 98.0)
"""Percentiles between which depth is given the range of the other shape: single points are no range."""
EDGE = 0.008
"""How far inside the silhouette a map is believed, in units of s: beside it, it belongs to the background."""


@dataclass(frozen=True)
class ShapeMap:
    """What is known of the shape of everything in an image.

    ``image`` is (h, w) float32 for ``depth``: nearer is larger, at any scale and offset, and linear in
    disparity or in distance, which over a person is nearly the same; or (h, w, 3) float32 for ``normals``: of any
    length, x right, y down, z to the camera.
    """

    kind: Literal["depth", "normals"]
    image: NDArray[np.float32]

    def part(self, corner: tuple[float, float], extent: tuple[float, float], size: tuple[int, int]) -> "ShapeMap":
        """Cut a part out and bring it to a size.

        Args:
            corner: x and y of the part's upper left corner, in units of the map's sides.
            extent: its width and height, likewise.
            size: width and height that it shall have, pixels.
        """
        rows, columns = self.image.shape[:2]
        scale = np.array([extent[0] * columns / size[0], extent[1] * rows / size[1]])
        image = self.image
        if scale.max() > 1:  # by area first, or detail would alias
            shrunk = max(1, round(columns / max(scale[0], 1))), max(1, round(rows / max(scale[1], 1)))
            image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
            scale *= np.array([shrunk[0] / columns, shrunk[1] / rows])
        shift = np.array([corner[0] * image.shape[1], corner[1] * image.shape[0]]) + 0.5 * scale - 0.5
        matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return ShapeMap(self.kind, cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


@dataclass(frozen=True)
class Given:
    """The height field that a map gives."""

    height: Plane
    """At working size, in its pixels; beyond the mask it goes on."""
    reduced: Plane
    """The same at the size of the height field, in its pixels."""
    low: Plane
    """That with the faces' meshes in it."""


def shape_of(
    shape_map: ShapeMap,
    *,
    alpha: Plane,
    like: Plane,
    faces: Sequence[Points],
    triangles: Triangles,
) -> Given:
    """Turn a map of the same part of an image into a height field.

    Args:
        shape_map: at working size.
        alpha: (h, w) float32 in 0..1, at working size.
        like: (h, w) float32, the height field of mask and mesh, in its own pixels.
        faces: meshes that are put into it, in the height field's pixels.
        triangles: (N, 3) int32.
    """
    ratio = like.shape[1] / alpha.shape[1]
    believed = _believed(alpha)
    height = _from_normals(shape_map.image, alpha > 0.5) if shape_map.kind == "normals" else shape_map.image
    if not believed.any():
        return Given(np.zeros_like(alpha), np.zeros_like(like), like)
    height = _continued(height, believed)
    within = cv2.resize(believed.astype(np.uint8), like.shape[::-1], interpolation=cv2.INTER_AREA) > 0
    bottom, top = np.percentile(like[within], RANGE) / ratio
    low, high = np.percentile(height[believed], RANGE)
    scale = 1.0 if shape_map.kind == "normals" else (top - bottom) / max(high - low, 1e-6)
    height = (height - np.float32(low)) * np.float32(scale) + np.float32(bottom)
    reduced = cv2.resize(height, like.shape[::-1], interpolation=cv2.INTER_AREA)
    reduced *= np.float32(ratio)
    low_field = reduced
    for points in faces:
        low_field, _ = height_field.join_face(low_field, points, triangles)
    return Given(height, reduced, low_field)


def _believed(alpha: Plane) -> Mask:
    inside = alpha > 0.5
    size = float(np.sqrt(np.count_nonzero(inside)))
    inner = inward_distance(inside) > EDGE * size
    return inner if inner.any() else inside


def _continued(height: Plane, believed: Mask) -> Plane:
    """Go on level from where a map is believed: a cliff at the silhouette would be a rim in every light."""
    outside = (~believed).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    values = np.zeros(int(nearest.max()) + 1, np.float32)
    values[nearest[believed]] = height[believed]
    level = values[nearest]
    size = float(np.sqrt(np.count_nonzero(believed)))
    return np.where(believed, height, smooth(level, 0.5 * EDGE * size))


def _from_normals(normals: NDArray[np.float32], inside: Mask) -> Plane:
    """The height whose normals these are, inside a mask, in pixels; (h, w) float32 up to a constant."""
    rows, columns = inside.shape
    even = (rows + rows % 2, columns + columns % 2)
    borders = (0, even[0] - rows, 0, even[1] - columns)
    normals = cv2.copyMakeBorder(normals, *borders, cv2.BORDER_REPLICATE)
    within = cv2.copyMakeBorder(inside.astype(np.uint8), *borders, cv2.BORDER_REPLICATE) > 0
    toward = np.maximum(normals[..., 2], np.float32(1e-6) + np.hypot(normals[..., 0], normals[..., 1]) / STEEPEST)
    slope_x, slope_y = (-normals[..., axis] / toward for axis in (0, 1))
    # A slope is that of a pixel, a difference that between two.
    down, across = (slope_y[1:] + slope_y[:-1]) / 2, (slope_x[:, 1:] + slope_x[:, :-1]) / 2
    both = within[1:] & within[:-1], within[:, 1:] & within[:, :-1]
    height = integrate(down * both[0], across * both[1], both)
    return height[:rows, :columns]
