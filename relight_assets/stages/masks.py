"""From a person probability to the two layers of a photo: the person, and what is behind."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets import recipe
from relight_assets.errors import NoPersonError
from relight_assets.stages.foreground_color import (
    Blend,
    blur_fusion,
    sample,
    split_colors,
    to_blend,
    with_alpha,
)

CODE_VERSION = "1"

ISLAND_SHARE = 0.10
"""Separate parts smaller than this share of the largest are dropped."""
HOLE_SHARE = 0.005
"""Holes smaller than this share of the mask are filled; larger ones may be the gap under an arm."""
GUIDE_SIDE = 512
GUIDE_RADIUS = 4
GUIDE_EPSILON = 1e-3
STRETCH = (0.3, 0.7)


@dataclass(frozen=True)
class PersonNumbers:
    """What tells whether there is a person.

    ``score`` is the mean probability inside the mask (p > .5), 0 when that is empty; ``coverage``
    is the mask's share of the picture.
    """

    score: float
    coverage: float


@dataclass(frozen=True)
class Layers:
    """A photo taken apart.  Both are (H, W, 4) uint8 RGBA, sRGB, straight alpha, RGB 0 where alpha is 0."""

    foreground: NDArray[np.uint8]
    background: NDArray[np.uint8]


def person_numbers(probability: NDArray[np.float32]) -> PersonNumbers:
    """Measure a (h, w) float32 person probability in 0..1."""
    inside = probability > 0.5
    count = int(np.count_nonzero(inside))
    if count == 0:
        return PersonNumbers(score=0.0, coverage=0.0)
    total = float(np.sum(probability[inside], dtype=np.float64))
    return PersonNumbers(score=total / count, coverage=count / probability.size)


def require_person(numbers: PersonNumbers, faces_found: int, thresholds: recipe.Masks) -> None:
    """Raise :class:`NoPersonError` unless the mask is large enough and sure enough, or shows a face.

    A face vouches for an unsure mask, because the segmenter always marks something: the surest
    mask seen on a picture without a person is a cat's, at .945, and no face was ever found there.
    """
    if numbers.coverage < thresholds.min_coverage:
        raise NoPersonError(
            f"the person mask covers {numbers.coverage:.1%} of the picture, less than "
            f"masks.min_coverage {thresholds.min_coverage:.1%}"
        )
    if numbers.score < thresholds.min_score and faces_found == 0:
        raise NoPersonError(
            f"the person mask is unsure (score {numbers.score:.3f}, masks.min_score {thresholds.min_score:.3f}) "
            f"and no face was found; it covers {numbers.coverage:.1%} of the picture"
        )


def clean_alpha(probability: NDArray[np.float32], rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a coarse person probability into the photo's alpha.

    Small islands go, small holes are filled, the edge is laid on the photo's own edges by a
    guided filter with the colours as guide (He, Sun, Tang, PAMI 2013), and the result is
    stretched, because a filtered edge is wider than a real one.

    Args:
        probability: (h, w) float32 in 0..1, of any size.
        rgb: (H, W, 3) uint8 sRGB photo.

    Returns:
        (H, W) uint8: 0 outside, 255 inside, soft between.
    """
    height, width = rgb.shape[:2]
    cleaned = _without_islands_and_holes(probability)
    scale = min(1.0, GUIDE_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(cleaned, size, interpolation=cv2.INTER_LINEAR)
    slope, offset = _guided_coefficients(guide, coarse)
    alpha = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    for channel, plane in enumerate(slope):
        alpha += cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) * (
            rgb[..., channel] * np.float32(1 / 255)
        )
    low, high = STRETCH
    alpha -= np.float32(low)
    alpha *= np.float32(255 / (high - low))
    np.clip(alpha, 0, 255, out=alpha)
    result = np.rint(alpha).astype(np.uint8)
    result[result < 2] = 0
    result[result > 253] = 255
    return result


def separate(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8], blend: Blend = "srgb") -> Layers:
    """Take a photo apart so that the foreground over the background gives it back.

    At soft edges foreground colours are estimated, background colours are solved for, and
    whichever was clipped makes the other move.  Where alpha is 0 or 255 the photo's own bytes are
    kept, so there the way back is exact; elsewhere it is within 2 levels.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        alpha: (H, W) uint8 mask.
        blend: the space in which the layers will be laid over each other.
    """
    foreground = with_alpha(rgb, alpha)
    background = with_alpha(rgb, cv2.bitwise_not(alpha))
    rows, columns = np.divmod(np.flatnonzero((alpha > 0) & (alpha < 255)), alpha.shape[1])
    if rows.size:
        near_f, near_b = blur_fusion(rgb, alpha)
        back_there, front_there = split_colors(
            decoded=to_blend(rgb[rows, columns], blend),
            opacity=alpha[rows, columns].astype(np.float32)[:, None] * np.float32(1 / 255),
            front=to_blend(sample(near_f, rgb.shape, rows, columns), blend),
            back=to_blend(sample(near_b, rgb.shape, rows, columns), blend),
            blend=blend,
        )
        foreground[rows, columns, :3] = front_there
        background[rows, columns, :3] = back_there
    return Layers(foreground=foreground, background=background)


def _without_islands_and_holes(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    cleaned = np.clip(probability, 0, 1).astype(np.float32)
    inside = (cleaned > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return cleaned
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= ISLAND_SHARE * areas.max()])
    # What is grown from a kept part at a lower threshold is its soft edge; all else is dropped, softly.
    near_kept = cv2.dilate(kept[labels].astype(np.float32), np.ones((9, 9), np.uint8))
    near_dropped = cv2.dilate((inside.astype(bool) & ~kept[labels]).astype(np.float32), np.ones((5, 5), np.uint8))
    cleaned *= np.maximum(near_kept * (1 - near_dropped), kept[labels])
    solid = kept[labels].astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    framed = (left == 0) | (top == 0) | (right == solid.shape[1]) | (bottom == solid.shape[0])
    small = ~framed & (stats[:, cv2.CC_STAT_AREA] < HOLE_SHARE * solid.sum())
    small[0] = False
    if small.any():
        # Grown by one step, so that the soft rim of the hole is filled with it.
        cleaned = np.maximum(cleaned, cv2.dilate(small[labels].astype(np.float32), np.ones((3, 3), np.uint8)))
    return cleaned


def _guided_coefficients(
    guide: NDArray[np.uint8], target: NDArray[np.float32]
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    # target ~ sum_c slope_c * guide_c + offset in every window: three slopes, one offset per pixel.
    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.blur(plane, (2 * GUIDE_RADIUS + 1, 2 * GUIDE_RADIUS + 1), borderType=cv2.BORDER_REFLECT)

    channels = [plane.astype(np.float32) * np.float32(1 / 255) for plane in cv2.split(guide)]
    means = [mean(plane) for plane in channels]
    target_mean = mean(target)
    cross = [mean(c * target) - m * target_mean for c, m in zip(channels, means, strict=True)]
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    rr, rg, rb, gg, gb, bb = (mean(channels[i] * channels[j]) - means[i] * means[j] for i, j in pairs)
    rr, gg, bb = (diagonal + np.float32(GUIDE_EPSILON) for diagonal in (rr, gg, bb))
    # The inverse of a symmetric 3 x 3 matrix by its cofactors; epsilon keeps the determinant above 0.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * c00 + rg * c01 + rb * c02)
    slopes = [
        (c00 * cross[0] + c01 * cross[1] + c02 * cross[2]) * scale,
        (c01 * cross[0] + c11 * cross[1] + c12 * cross[2]) * scale,
        (c02 * cross[0] + c12 * cross[1] + c22 * cross[2]) * scale,
    ]
    offset = target_mean - sum(s * m for s, m in zip(slopes, means, strict=True))
    return [mean(slope) for slope in slopes], mean(offset.astype(np.float32))
