"""What colour the person has, and what is behind has, where a pixel shows a bit of both."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Rgb8, Rgba8
from relight_assets.core.color import decode, decode_table, encode, linear_to_srgb, planes_of

Blend = Literal["srgb", "linear"]

_ROWS = 32_000


def with_alpha(rgb: Rgb8, alpha: Gray8) -> Rgba8:
    """Join (H, W, 3) colours and (H, W) alpha to an RGBA image whose RGB is 0 where alpha is 0."""
    return layer(planes_of(rgb), alpha)


def layer(planes: Sequence[Gray8], alpha: Gray8) -> Rgba8:
    """:func:`with_alpha` of three (H, W) planes."""
    _, solid = cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)
    return cv2.merge([*(cv2.bitwise_and(plane, solid) for plane in planes), alpha])


def soft_edge(alpha: Gray8) -> NDArray[np.intp]:
    """Return where (H, W) alpha is neither 0 nor 255: (N,) numbers of pixels, row by row."""
    # As one comparison modulo 256: 0 becomes 255 and 255 becomes 254.
    return np.flatnonzero(alpha - np.uint8(1) < 254)


def at_edge(image: NDArray[np.uint8], edge: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the (N, C) values of a contiguous (H, W) or (H, W, C) image at the pixels of :func:`soft_edge`."""
    return image.reshape(image.shape[0] * image.shape[1], -1).take(edge, axis=0)


def sample(small: NDArray[np.float32], shape: tuple[int, ...], edge: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the (N, 3) bilinear values of a reduced image at N pixels of the full one, of (H, W) ``shape``."""
    rows, columns = np.divmod(edge, shape[1])
    x = (columns.astype(np.float32) + 0.5) * np.float32(small.shape[1] / shape[1]) - np.float32(0.5)
    y = (rows.astype(np.float32) + 0.5) * np.float32(small.shape[0] / shape[0]) - np.float32(0.5)
    # OpenCV's images have at most 32767 rows.
    parts = [
        cv2.remap(small, x[at : at + _ROWS], y[at : at + _ROWS], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for at in range(0, edge.size, _ROWS)
    ]
    return np.concatenate([part.reshape(-1, small.shape[2]) for part in parts])


def split_colors(
    *,
    decoded: NDArray[np.float32],
    opacity: NDArray[np.float32],
    front: NDArray[np.float32],
    blend: Blend,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Solve for the colours of both layers at N pixels of soft edge.

    Args:
        decoded: (N, 3) float32 photo in 0..1, in the blend space; so is ``front``.
        opacity: (N, 1) float32, strictly between 0 and 1.
        front: (N, 3) float32, what the foreground should be, if some background can go with it.
        blend: the space.

    Returns:
        Background and foreground, (N, 3) uint8, such that the one over the other is the photo.
    """
    # Background first, clipped, then the foreground that goes with it, and then the background
    # again that goes with the foreground's rounded bytes (or the other way where that one weighs more).
    rest = 1 - opacity
    back = np.clip((decoded - opacity * front) / rest, 0, 1)
    front = np.clip((decoded - rest * back) / opacity, 0, 1)
    front_bytes = _to_bytes(front, blend)
    kept = to_blend(front_bytes, blend)
    back_bytes = _to_bytes(np.clip((decoded - opacity * kept) / rest, 0, 1), blend)
    kept = to_blend(back_bytes, blend)
    again = _to_bytes(np.clip((decoded - rest * kept) / opacity, 0, 1), blend)
    front_bytes = np.where(opacity > 0.5, again, front_bytes)
    return back_bytes, front_bytes


def mix_colors(
    front: NDArray[np.uint8], back: NDArray[np.uint8], opacity: NDArray[np.float32], blend: Blend
) -> NDArray[np.uint8]:
    """Lay one layer over the other, the way back from :func:`split_colors`.

    Args:
        front: (N, 3) uint8 sRGB.
        back: (N, 3) uint8 sRGB.
        opacity: (N, 1) float32 in 0..1, of ``front``.
        blend: the space.

    Returns:
        (N, 3) uint8 sRGB, rounded half to even.
    """
    if blend == "linear":
        return encode(decode(front) * opacity + decode(back) * (1 - opacity))
    return np.rint(front * opacity + back * (1 - opacity)).astype(np.uint8)


def to_blend(values: NDArray[np.uint8] | NDArray[np.float32], blend: Blend) -> NDArray[np.float32]:
    """Decode display codes in 0..255, whole or not, to 0..1 in the blend space."""
    if blend == "srgb":
        return values.astype(np.float32) * np.float32(1 / 255)
    return np.interp(values, np.arange(256), decode_table()).astype(np.float32)


def _to_bytes(values: NDArray[np.float32], blend: Blend) -> NDArray[np.uint8]:
    if blend == "linear":
        return np.rint(linear_to_srgb(values.astype(np.float64)) * 255).astype(np.uint8)
    return np.rint(values * np.float32(255)).astype(np.uint8)
