"""Separate parts of a mask, and its holes."""

import cv2
import numpy as np

from relight_assets.core.arrays import Plane

ISLAND_SHARE = 0.10
"""Separate parts smaller than this share of the largest are dropped."""
HOLE_SHARE = 0.005
"""Holes smaller than this share of the mask are filled; larger ones may be the gap under an arm."""


def without_islands_and_holes(probability: Plane, island: float) -> Plane:
    """Drop small parts of a mask, softly, and fill small holes.

    Args:
        probability: (h, w) float32.
        island: share of the largest part's area that a part must have to stay, 0..1.

    Returns:
        (h, w) float32 in 0..1.
    """
    cleaned = np.clip(probability, 0, 1).astype(np.float32)
    inside = (cleaned > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return cleaned
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= island * areas.max()]).astype(np.uint8)
    solid = kept[labels]
    # What is grown from a kept part at a lower threshold is its soft edge; all else is dropped, softly.
    near_kept = cv2.dilate(solid, np.ones((9, 9), np.uint8))
    near_dropped = cv2.dilate(inside - solid, np.ones((5, 5), np.uint8))
    cleaned *= np.maximum(near_kept * (1 - near_dropped), solid)
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
