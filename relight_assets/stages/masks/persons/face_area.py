"""What lies inside a face is the person, whatever the segmenter makes of painted or shaded skin."""

from collections.abc import Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Mask, Plane, Points

INSET = 0.06
"""Margin in heights of the face: the mesh of a turned head reaches beyond its far cheek."""
KNOWN = 0.6
"""Mean probability inside a face from which on the segmenter means this person."""
IMPOSSIBLE = 0.02
"""Probability under which the segmenter is so sure of background that the mesh must be wrong."""


def with_faces(probability: Plane, faces: Sequence[Points], shape: tuple[int, ...]) -> Plane:
    """Make faces part of the person.

    Args:
        probability: (h, w) float32 in 0..1 over the whole photo.
        faces: (N, 2 or more) float32 points of each face, in the photo's pixels.
        shape: (H, W) of the photo.

    Returns:
        (h, w) float32: 1 inside of faces; the very same array where there is nothing to change.
    """
    answer = probability
    for face in faces:
        inside = _inside(face, probability.shape, shape)
        if inside.any() and probability[inside].mean() >= KNOWN:
            doubted = inside & _possible(probability, inside) & (probability < 1)
            answer = np.where(doubted, np.float32(1), answer) if doubted.any() else answer
    return answer


def _possible(probability: Plane, inside: Mask) -> Mask:
    """(h, w) bool: not surely background, or a spot of that most of which is inside a face, (h, w) bool: paint."""
    impossible = probability <= IMPOSSIBLE
    if not (impossible & inside).any():
        return ~impossible
    count, labels = cv2.connectedComponents(impossible.view(np.uint8))
    within = np.bincount(labels[inside], minlength=count)
    is_spot = 2 * within > np.bincount(labels.ravel(), minlength=count)
    return ~impossible | is_spot[labels]


def _inside(face: Points, size: tuple[int, ...], shape: tuple[int, ...]) -> Mask:
    """(h, w) bool: the hull of a face without its margin."""
    scale = np.array((size[1] / shape[1], size[0] / shape[0]), np.float32)
    points = face[:, :2] * scale
    hull = np.zeros(size, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    reach = max(1, round(INSET * float(np.ptp(points[:, 1]))))
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.erode(hull, window, borderType=cv2.BORDER_CONSTANT, borderValue=1).view(np.bool_)
