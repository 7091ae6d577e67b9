"""Whether a photo shows a body: the pose detector of MediaPipe (model card "BlazePose", Apache-2.0).

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020.  Of its answer the score alone is used.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.models.runtimes.litert import Network

SIDE = 224


class BodyDetector:
    """Says how sure it is that there is a body."""

    def __init__(self, path: Path) -> None:
        """Load ``pose_detection.tflite``."""
        self._network = Network(path)

    def score(self, rgb: NDArray[np.uint8]) -> float:
        """The best of its 2,254 scores, 0..1, for an (H, W, 3) uint8 image.  11 ms of one core."""
        logits = min(self._network(_letterboxed(rgb)), key=lambda output: output.size)
        return float(1.0 / (1.0 + np.exp(-np.clip(logits.max(), -80.0, 80.0))))


def _letterboxed(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(224, 224, 3) float32 in -1..1: the whole image in the middle, -1 around it."""
    scale = SIDE / max(rgb.shape[:2])
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(rgb, (width, height), interpolation=method).astype(np.float32)
    square = np.full((SIDE, SIDE, 3), -1.0, dtype=np.float32)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = part / np.float32(127.5) - 1
    return square
