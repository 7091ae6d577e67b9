"""What colour the person has, and what is behind has, where a pixel shows a bit of both."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.stages.linear_light import decode_table, linear_to_srgb

Blend = Literal["srgb", "linear"]

WORKING_SIDE = 512
FAR, NEAR = 0.09, 0.006
"""Radii of the two passes of blur fusion, in units of the longest side (90 and 6 of 1024 pixels)."""
FAR_SHRINK = 4


def with_alpha(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join (H, W, 3) colours and (H, W) alpha to an RGBA image whose RGB is 0 where alpha is 0."""
    layer = cv2.cvtColor(cv2.copyTo(rgb, alpha, np.zeros_like(rgb)), cv2.COLOR_RGB2RGBA)
    return cv2.insertChannel(alpha, layer, 3)


def blur_fusion(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Estimate both colours all over the picture, by blur fusion in two passes.

    After Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.  Takes (H, W, 3) uint8
    and (H, W) uint8; returns foreground and background, (h, w, 3) float32 display codes in 0..255,
    at reduced size: the colours of neighbours are all they hold.
    """
    # The far pass at a quarter of the reduced size, because it is a wide blur.
    height, width = alpha.shape
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
    rest = 1 - cover
    far_size = (max(1, size[0] // FAR_SHRINK), max(1, size[1] // FAR_SHRINK))
    radius = max(1, round(FAR * max(far_size)))
    tiny = cv2.resize(small, far_size, interpolation=cv2.INTER_AREA)
    tiny_cover = cv2.resize(cover, far_size, interpolation=cv2.INTER_AREA)
    far_f = cv2.resize(_weighted_mean(tiny, tiny_cover, radius), size, interpolation=cv2.INTER_LINEAR)
    far_b = cv2.resize(_weighted_mean(tiny, 1 - tiny_cover, radius), size, interpolation=cv2.INTER_LINEAR)
    cover3, rest3 = cv2.merge([cover] * 3), cv2.merge([rest] * 3)
    residual = small - cover3 * far_f - rest3 * far_b
    front = np.clip(far_f + cover3 * residual, 0, 255)
    back = np.clip(far_b + rest3 * residual, 0, 255)
    radius = max(1, round(NEAR * max(size)))
    return _weighted_mean(front, cover, radius), _weighted_mean(back, rest, radius)


def _weighted_mean(values: NDArray[np.float32], weight: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    # A whole-picture mean with a tiny weight answers where the window holds nothing of this layer.
    window = (2 * radius + 1, 2 * radius + 1)
    faint = 1e-4 * float(weight.mean(dtype=np.float64))
    inverse = 1 / np.maximum(
        cv2.blur(weight, window, borderType=cv2.BORDER_REFLECT) + np.float32(faint), np.float32(1e-9)
    )
    planes = []
    for plane in cv2.split(values):
        weighted = cv2.multiply(plane, weight)
        overall = np.float32(1e-4 * weighted.mean(dtype=np.float64))
        blurred = cv2.blur(weighted, window, borderType=cv2.BORDER_REFLECT)
        blurred += overall
        planes.append(cv2.multiply(blurred, inverse))
    return cv2.merge(planes)


def sample(
    small: NDArray[np.float32], shape: tuple[int, ...], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the (N, 3) bilinear values of a reduced picture at N pixels of the full one."""
    x = (columns.astype(np.float32) + 0.5) * np.float32(small.shape[1] / shape[1]) - 0.5
    y = (rows.astype(np.float32) + 0.5) * np.float32(small.shape[0] / shape[0]) - 0.5
    left = np.clip(np.floor(x).astype(np.intp), 0, small.shape[1] - 1)
    top = np.clip(np.floor(y).astype(np.intp), 0, small.shape[0] - 1)
    right, bottom = np.minimum(left + 1, small.shape[1] - 1), np.minimum(top + 1, small.shape[0] - 1)
    across, down = np.clip(x - left, 0, 1)[:, None], np.clip(y - top, 0, 1)[:, None]
    upper = small[top, left] * (1 - across) + small[top, right] * across
    lower = small[bottom, left] * (1 - across) + small[bottom, right] * across
    return upper * (1 - down) + lower * down


def split_colors(
    *,
    decoded: NDArray[np.float32],
    opacity: NDArray[np.float32],
    front: NDArray[np.float32],
    back: NDArray[np.float32],
    blend: Blend,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Solve for the colours of both layers at N pixels of soft edge.

    Args:
        decoded: (N, 3) float32 photo in 0..1, in the blend space; so are ``front`` and ``back``.
        opacity: (N, 1) float32, strictly between 0 and 1.
        front: estimate of the foreground.
        back: estimate of the background.
        blend: the space.

    Returns:
        Background and foreground, (N, 3) uint8, such that the one over the other is the photo.
    """
    # Background first, clipped, then the foreground that goes with it, and then the background
    # again that goes with the foreground's rounded bytes (or the other way where that one weighs more).
    rest = 1 - opacity
    front = np.clip(front + opacity * (decoded - opacity * front - rest * back), 0, 1)
    back = np.clip((decoded - opacity * front) / rest, 0, 1)
    front = np.clip((decoded - rest * back) / opacity, 0, 1)
    front_bytes = _to_bytes(front, blend)
    kept = to_blend(front_bytes, blend)
    back_bytes = _to_bytes(np.clip((decoded - opacity * kept) / rest, 0, 1), blend)
    kept = to_blend(back_bytes, blend)
    again = _to_bytes(np.clip((decoded - rest * kept) / opacity, 0, 1), blend)
    front_bytes = np.where(opacity > 0.5, again, front_bytes)
    return back_bytes, front_bytes


def to_blend(values: NDArray[np.uint8] | NDArray[np.float32], blend: Blend) -> NDArray[np.float32]:
    """Decode display codes in 0..255, whole or not, to 0..1 in the blend space."""
    if blend == "srgb":
        return values.astype(np.float32) * np.float32(1 / 255)
    return np.interp(values, np.arange(256), decode_table()).astype(np.float32)


def _to_bytes(values: NDArray[np.float32], blend: Blend) -> NDArray[np.uint8]:
    if blend == "linear":
        return np.rint(linear_to_srgb(values.astype(np.float64)) * 255).astype(np.uint8)
    return np.rint(values * np.float32(255)).astype(np.uint8)
