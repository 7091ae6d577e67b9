"""Doubt of the segmenter that is wider than any softness is a yes or no: decided by grabCut, in boxes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Mask, Plane
from relight_assets.stages.masks.matting.sizes import disc, scaled

SURE = (0.05, 0.95)
"""Probabilities outside of which the segmenter is sure of background and of person."""
THICK_RADIUS = 4
"""Doubt that a disc of this radius fits into is thick: wider than any real softness of hair."""
BOX_MARGIN = 16
"""Around a thick part, for grabCut to see both sides."""
LEAST_THICK = 60
"""Pixels of thick doubt under which nothing is decided."""
LEAST_SURE = 50
"""Pixels of either side that a box must hold: with fewer there is nothing to compare with."""
DECIDED_BLUR = 1.5
"""Sigma of a decision's edge; matting makes the real one."""
DECIDED = (0.02, 0.98)
"""Probability that a decision or a vote becomes."""
SEED = 1
"""Of grabCut's k-means."""


def thick_doubt(probability: Plane) -> Mask:
    """Where a (h, w) float32 probability, at a guide's size, is unsure over more than a softness: (h, w) bool."""
    radius = scaled(THICK_RADIUS, probability.shape)
    doubt = cv2.inRange(probability, *SURE)
    opened = cv2.morphologyEx(doubt, cv2.MORPH_OPEN, disc(radius))
    return (cv2.dilate(opened, np.ones((5, 5), np.uint8)) & doubt).view(np.bool_)


def decided(lab: NDArray[np.uint8], probability: Plane, thick: Mask) -> Plane:
    """Decide thick doubt by colours: grabCut, one part at a time.

    Args:
        lab: (h, w, 3) uint8 CIE Lab as OpenCV has it.
        probability: (h, w) float32 in 0..1.
        thick: (h, w) bool.

    Returns:
        (h, w) float32: ``DECIDED`` inside thick doubt; the very same array where nothing was decided.
    """
    if np.count_nonzero(thick) < LEAST_THICK:
        return probability
    answer = probability.copy()
    side = 2 * scaled(BOX_MARGIN, thick.shape) + 1
    around = cv2.dilate(thick.view(np.uint8), np.ones((side, side), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(around)
    for left, top, width, height, _ in boxes[1:count]:
        box = np.s_[top : top + height, left : left + width]
        person = _grab_cut(lab[box], probability[box])
        if person is not None:
            low, high = DECIDED
            np.copyto(answer[box], person * np.float32(high - low) + np.float32(low), where=thick[box])
    return answer


def _grab_cut(lab: NDArray[np.uint8], probability: Plane) -> Plane | None:
    """The person in a box, (h, w) float32 with a soft edge; None where one side is too small to learn from."""
    marks = np.where(probability > 0.5, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    for sure, mark in ((probability <= SURE[0], cv2.GC_BGD), (probability >= SURE[1], cv2.GC_FGD)):
        if np.count_nonzero(sure) < LEAST_SURE:
            return None
        marks[sure] = mark
    cv2.setRNGSeed(SEED)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(lab), marks, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    return cv2.GaussianBlur((marks & 1).astype(np.float32), (0, 0), DECIDED_BLUR)
