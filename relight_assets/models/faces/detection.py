"""Where faces are: BlazeFace, short range (the model card "MediaPipe BlazeFace Short Range", Apache-2.0).

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.  The
network looks at 128x128 pixels, so it sees faces from about a tenth of the side of what it is
shown, and none that overfills the frame.  Photos hold both, hence :func:`search_areas`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.models.runtimes.litert import Network

SIDE = 128
MIN_SCORE = 0.5
SURE_SCORE = 0.75
"""Real faces of a fair size score .85 and more; between the two limits both kinds are found."""
MAX_OVERLAP = 0.3


@dataclass(frozen=True)
class Detection:
    """One face, in image pixels; pixel centres have whole coordinates."""

    box: NDArray[np.float64]
    """(4,): centre x, centre y, width, height."""
    keypoints: NDArray[np.float64]
    """(6, 2): the eye on the image's left, the other eye, nose tip, mouth, two ear points."""
    score: float
    """0..1."""

    @property
    def roll(self) -> float:
        """Angle of the line through the eyes, radians; 0 is level, positive is clockwise on screen."""
        dx, dy = self.keypoints[1] - self.keypoints[0]
        return float(np.arctan2(dy, dx))


@dataclass(frozen=True)
class Square:
    """A square of the image to look at; it may reach beyond the image, where it is black."""

    x: float
    y: float
    side: float


def search_areas(height: int, width: int) -> Iterator[list[Square]]:
    """Where to look, one list after the other until a face is surely found.

    The whole image; the image with a margin of a third around it (for faces that overfill the
    frame); overlapping squares of 60 % of the long side, then of 35 % (for small faces).
    """
    long = float(max(height, width))
    yield [_around(height, width, long)]
    yield [_around(height, width, long * 5 / 3)]
    for share in (0.6, 0.35):
        side = long * share
        yield [Square(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def large_search_areas(height: int, width: int) -> Iterator[list[Square]]:
    """The first two of those lists: where large faces are found, at a twentieth of the time."""
    return islice(search_areas(height, width), 2)


def _around(height: int, width: int, side: float) -> Square:
    return Square((width - side) / 2, (height - side) / 2, side)


def _starts(length: int, side: float) -> list[float]:
    # Neighbours share at least 40 % of a square, so that a face of a third of it is whole in one.
    if side >= length:
        return [(length - side) / 2]
    count = int(np.ceil((length - side) / (side * 0.6))) + 1
    return [float(start) for start in np.linspace(0.0, length - side, count)]


def _anchors() -> NDArray[np.float64]:
    # (896, 2) centres in 0..1: a 16x16 grid with 2 boxes a cell, then an 8x8 grid with 6.
    grids = []
    for cells, boxes in ((16, 2), (8, 6)):
        centres = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), boxes, axis=0))
    return np.concatenate(grids)


def _shown(rgb: NDArray[np.uint8], square: Square) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    # The square as the network wants it, and (left, top, width, height) of the image's part in it:
    # the part is shrunk by area into a whole number of pixels, so the two scales may differ a little.
    height, width = rgb.shape[:2]
    left, top = max(0, int(np.floor(square.x))), max(0, int(np.floor(square.y)))
    right = min(width, int(np.ceil(square.x + square.side)))
    bottom = min(height, int(np.ceil(square.y + square.side)))
    factor = max(1, min(int(square.side / SIDE / 2), right - left, bottom - top))
    part = shrunk_by_whole(rgb[top:bottom, left:right], factor)
    bottom, right = top + part.shape[0] * factor, left + part.shape[1] * factor
    scale = SIDE / square.side
    part_width, part_height = (max(1, min(SIDE, round((b - a) * scale))) for a, b in ((left, right), (top, bottom)))
    at_x = max(0, min(SIDE - part_width, round((left - square.x) * scale)))
    at_y = max(0, min(SIDE - part_height, round((top - square.y) * scale)))
    shrunk = cv2.resize(part, (part_width, part_height), interpolation=cv2.INTER_AREA)
    canvas = np.full((SIDE, SIDE, 3), -1.0, dtype=np.float32)
    canvas[at_y : at_y + part_height, at_x : at_x + part_width] = shrunk.astype(np.float32) / 127.5 - 1.0
    zoom_x, zoom_y = (right - left) / part_width, (bottom - top) / part_height
    return canvas, np.array([zoom_x, zoom_y, left - at_x * zoom_x - 0.5, top - at_y * zoom_y - 0.5])


def shrunk_by_whole(rgb: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average ``factor`` x ``factor`` pixels into one; what does not divide is left off right and below.

    Many times faster than shrinking by a fraction, and by two faster than by any other number.  Neither
    side may be shorter than ``factor``.
    """
    if factor == 1:
        return rgb
    height, width = rgb.shape[0] // factor, rgb.shape[1] // factor
    shrunk = rgb[: height * factor, : width * factor]
    while factor > 1:
        step = 2 if factor % 2 == 0 else factor
        factor //= step
        shrunk = cv2.resize(shrunk, (width * factor, height * factor), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.uint8, copy=False)


SearchAreas = Callable[[int, int], Iterator[list[Square]]]
"""Lists of squares to look at, given height and width."""


class FaceDetector:
    """Finds faces in photos.

    Measured on 19 portraits pasted into a landscape: all faces of 11 % of the long side, nearly all
    of 8 %, two in three of 5 %; and all of those that overfill the frame by a third.
    """

    def __init__(self, path: Path) -> None:
        """Load ``face_detection_short_range.tflite``."""
        self._network = Network(path)
        self._anchors = _anchors()

    def detect(self, rgb: NDArray[np.uint8], areas: SearchAreas = search_areas) -> list[Detection]:
        """Return what may be faces in an (H, W, 3) uint8 image, best score first.

        About 5 ms where a face is large enough to be seen at first sight, 60 ms where there is
        none.  Small faces behind a large one are not looked for.
        """
        unsure: list[Detection] = []
        for squares in areas(*rgb.shape[:2]):
            found = [detection for square in squares for detection in self._detect(rgb, square)]
            if any(detection.score >= SURE_SCORE for detection in found):
                return merged(found)
            unsure += found
        return merged(unsure)

    def _detect(self, rgb: NDArray[np.uint8], square: Square) -> list[Detection]:
        canvas, mapping = _shown(rgb, square)
        outputs = sorted(self._network(canvas), key=lambda output: output.size)
        scores = 1.0 / (1.0 + np.exp(-np.clip(outputs[0].astype(np.float64), -80.0, 80.0)))
        keep = np.flatnonzero(scores >= MIN_SCORE)
        rows = outputs[1].reshape(-1, 8, 2)[keep].astype(np.float64)
        anchors = self._anchors[keep] * SIDE
        zoom, origin = mapping[:2], mapping[2:]
        return [
            Detection(
                box=np.concatenate([(row[0] + anchor) * zoom + origin, row[1] * zoom]),
                keypoints=(row[2:] + anchor) * zoom + origin,
                score=float(score),
            )
            for row, anchor, score in zip(rows, anchors, scores[keep], strict=True)
        ]


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two (centre x, centre y, width, height) boxes."""
    low = np.maximum(one[:2] - one[2:] / 2, other[:2] - other[2:] / 2)
    high = np.minimum(one[:2] + one[2:] / 2, other[:2] + other[2:] / 2)
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    union = float(np.prod(one[2:]) + np.prod(other[2:])) - shared
    return shared / union if union > 0 else 0.0


def merged(detections: list[Detection]) -> list[Detection]:
    """Keep the best of what overlaps, averaged by score with what it beats: steadier than the best alone."""
    left = sorted(detections, key=lambda detection: -detection.score)
    kept = []
    while left:
        best = left[0]
        group = [each for each in left if overlap(best.box, each.box) > MAX_OVERLAP] or [best]
        left = [each for each in left[1:] if overlap(best.box, each.box) <= MAX_OVERLAP]
        weights = [each.score for each in group]
        kept.append(
            Detection(
                box=np.average([each.box for each in group], axis=0, weights=weights),
                keypoints=np.average([each.keypoints for each in group], axis=0, weights=weights),
                score=best.score,
            )
        )
    return kept
