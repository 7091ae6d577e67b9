"""Where a face shows bare skin, up to the hairline: not hair, brows, dark beards, eyes, teeth or frames.

A face mesh ends in the middle of the forehead, and highlights that end with it look like a mask.  So the mesh's
outline is stretched upward, and what lies in it is skin where its colour is that of this person's own skin, where it is
not much darker, and where it is as smooth as skin is.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import LinearRgb, Plane, Points
from relight_assets.core.color import luminance, planes_of
from relight_assets.stages.degraded.geometry.filters import smooth, smoothstep
from relight_assets.stages.degraded.geometry.head import CHIN, FOREHEAD
from relight_assets.stages.degraded.geometry.skin import BARE, COLOR_FLOOR, EYES_AND_MOUTH, HALVED_ABOVE, at_points

FACE_HEIGHT = 1.1
"""Height of a face, over the distance of the mesh's ends: units of h below."""
STRETCH_UP, STRETCH_OUT = 0.22, 1.06
"""How far the mesh's outline is stretched to the hairline, as a share of its length, and all around."""
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
"""Ring of mesh points around both lips."""
LIP_SHARE = np.float32(0.7)
"""How much of a lip counts as skin."""
GROWN_SHARE = np.float32(0.9)
"""How surely what has the colour of skin is skin."""
WARM_REACH, COLD_REACH = 0.18, 0.22
"""Differences of ln(R/G) and ln(B/G) at which a colour is skin by exp(-1/2)."""
DARKER, DARKER_WIDTH = 1.4, 0.6
"""Nepers below skin at which hair begins to be certain, and over which skin ends."""
ROUGH, ROUGH_WIDTH = 0.34, 0.17
"""Mean detail of ln luminance at which hair is certain, and over which skin ends."""


def face_height(points: Points) -> float:
    """The unit h of a face mesh, in its pixels."""
    return FACE_HEIGHT * float(np.hypot(*(points[FOREHEAD, :2] - points[CHIN, :2])))


def outline(points: Points) -> NDArray[np.float32]:
    """The outline of a face from chin to hairline: (N, 2) float32, in the mesh's pixels."""
    flat = points[:, :2].astype(np.float32)
    hull = cv2.convexHull(flat)[:, 0]
    middle, axis = hull.mean(axis=0), flat[FOREHEAD] - flat[CHIN]
    length = max(float(np.hypot(*axis)), 1e-3)
    above = np.maximum((hull - middle) @ (axis / length), 0) / (0.5 * length)
    stretched: NDArray[np.float32] = middle + (hull + np.outer(above, axis) * STRETCH_UP - middle) * STRETCH_OUT
    return stretched.astype(np.float32)


def bare_skin(albedo: LinearRgb, alpha: Plane, mesh_share: Plane, skin: Plane, faces: Sequence[Points]) -> Plane:
    """Say how surely each point is bare skin of a face.

    Args:
        albedo: (h, w, 3) float32 linear.
        alpha: (h, w) float32 in 0..1.
        mesh_share: (h, w) float32 in 0..1, the share of a face mesh in the shape.
        skin: (h, w) float32 in 0..1, of :func:`relight_assets.stages.degraded.geometry.skin.likelihood`.
        faces: (468, 3) float32 meshes in the same pixels.

    Returns:
        (h, w) float32 in 0..1; 0 beside faces.
    """
    found = np.zeros(alpha.shape, np.float32)
    for points in faces:
        edge = outline(points)
        margin = 0.1 * face_height(points)
        low = np.floor(edge.min(axis=0) - margin).astype(int).clip(0, None)
        high = np.ceil(edge.max(axis=0) + margin).astype(int).clip(0, alpha.shape[::-1])
        if (high - low).min() > 2:
            part = np.s_[low[1] : high[1], low[0] : high[0]]
            shift = np.array([*low, 0], np.float32)
            one = _reduced(albedo[part], alpha[part], mesh_share[part], skin[part], points - shift)
            np.maximum(found[part], one, out=found[part])
    return found


def _reduced(albedo: LinearRgb, alpha: Plane, mesh_share: Plane, skin: Plane, points: Points) -> Plane:
    height, width = albedo.shape[:2]
    if max(height, width) < HALVED_ABOVE:
        return _of_face(albedo, alpha, mesh_share, skin, points)
    size = (width // 2, height // 2)
    small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (albedo, alpha, mesh_share, skin)]
    flat = (points[:, :2] + np.float32(0.5)) * np.float32(0.5) - np.float32(0.5)
    halved = np.column_stack([flat, points[:, 2] * np.float32(0.5)]).astype(np.float32)
    found = _of_face(small[0], small[1], small[2], small[3], halved)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)


def _of_face(albedo: LinearRgb, alpha: Plane, mesh_share: Plane, skin: Plane, points: Points) -> Plane:
    h, flat = face_height(points), points[:, :2]
    light = luminance(np.ascontiguousarray(albedo))
    dark_enough, color, fine = _like_skin(albedo, light, flat, h)
    on_mesh = smoothstep(mesh_share * np.float32(2.2))
    inner = _filled(flat, EYES_AND_MOUTH[2], light.shape)
    open_ = np.maximum(inner, np.maximum(*(_filled(flat, ring, light.shape) for ring in EYES_AND_MOUTH[:2])))
    closed = 1 - np.minimum(smooth(open_, 0.008 * h) * np.float32(1.3), 1)
    edge = np.zeros(light.shape, np.float32)
    cv2.fillPoly(edge, [np.rint(outline(points)).astype(np.int32)], 1.0)
    by_color = smooth(edge, 0.03 * h) * color * fine
    grown = np.maximum(on_mesh, by_color) * dark_enough * closed * np.minimum(alpha * np.float32(1.2), 1)
    lips = smooth(np.maximum(_filled(flat, LIPS, light.shape) - inner, 0), 0.006 * h)
    sure = np.maximum(on_mesh * smoothstep((skin - np.float32(0.25)) * 2), LIP_SHARE * lips) * closed
    return np.maximum(sure, GROWN_SHARE * grown)


def _like_skin(albedo: LinearRgb, light: Plane, flat: NDArray[np.float32], h: float) -> tuple[Plane, Plane, Plane]:
    # Not much darker than skin; of its colour; as smooth as it.
    red, green, blue = (cv2.log(plane + COLOR_FLOOR) for plane in planes_of(albedo))
    log = cv2.log(light + COLOR_FLOOR)
    side = (max(3, int(0.03 * h)),) * 2
    warm, cold, around = (cv2.blur(plane, side) for plane in (red - green, blue - green, log))
    own_warm, own_cold = (float(np.median(at_points(plane, flat[list(BARE)]))) for plane in (warm, cold))
    own_light = np.float32(np.percentile(at_points(around, flat[list(BARE)]), 35))
    # Skin grays where it is bright, by the photo's own highlights, but not where it is dark: that is hair.
    toward = (warm * np.float32(own_warm) + cold * np.float32(own_cold)) / np.float32(
        max(own_warm**2 + own_cold**2, 1e-4)
    )
    toward = np.clip(toward, np.where(around > own_light, np.float32(0), np.float32(0.75)), np.float32(1.25))
    distance = np.square((warm - toward * np.float32(own_warm)) / np.float32(WARM_REACH))
    distance += np.square((cold - toward * np.float32(own_cold)) / np.float32(COLD_REACH))
    color = np.minimum(cv2.exp(distance * np.float32(-0.5)) * np.float32(1.5), 1)
    color *= smoothstep((around - own_light + np.float32(1.2)) * 2)
    dark_enough = smoothstep((smooth(log, 0.006 * h) - own_light + np.float32(DARKER)) / np.float32(DARKER_WIDTH))
    detail = smooth(np.abs(log - smooth(log, 0.015 * h)), 0.03 * h)
    return dark_enough, color, smoothstep((np.float32(ROUGH) - detail) / np.float32(ROUGH_WIDTH))


def _filled(flat: NDArray[np.float32], ring: Sequence[int], shape: tuple[int, ...]) -> Plane:
    plane = np.zeros(shape, np.float32)
    cv2.fillPoly(plane, [np.rint(flat[list(ring)]).astype(np.int32)], 1.0)
    return plane
