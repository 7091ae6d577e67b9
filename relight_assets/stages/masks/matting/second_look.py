"""Small heads: the segmenter is asked again, for head and shoulders alone.

A network that answers in 256 cells has a few of them for a head that is a tenth of the photo.  Asked for a crop, it has
all of them.  A face that fills the photo is never asked for again: close up the network loses it.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from relight_assets.core.arrays import Plane, Points, Rgb8
from relight_assets.stages.masks.matting.sizes import FIRST_SIDE, fitted

SMALL_FACE = 0.24
"""Height of a face over the photo's longest side, below which it is asked for again: .14 and .21 gain, .30 does not."""
LEAST_FACE = 24
"""Pixels of a face's height: smaller ones have nothing more to show."""
MOST_FACES = 3
"""Faces that are asked for again: each costs one more answer of the network."""
CROP = 3.4
"""Side of the square in heights of the face: head and shoulders, as the network was trained on."""
UPWARDS = 0.1
"""By how many heights of the face the square's centre lies below the face's."""
FEATHER = 0.15
"""Share of the square's side over which the second answer takes over."""
TRUST = 0.7
"""Weight of the second answer inside the square; the first has the rest."""
LOGIT_LIMIT = 7.0
"""Logits are cut off here, at a probability of .001: no answer is surer than all others together."""

Box = tuple[int, int, int, int]
"""Left, top, width and height, pixels."""


def second_look(
    rgb: Rgb8, probability: Plane, faces: Sequence[Points], segment: Callable[[Rgb8], Plane]
) -> Plane | None:
    """Ask again for head and shoulders of small persons, and join the answers in logits.

    Args:
        rgb: (H, W, 3) uint8 sRGB photo.
        probability: (h, w) float32 in 0..1, the answer for the whole photo.
        faces: (N, 2 or more) float32 points of each face, in pixels, the largest face first.
        segment: gives the (h, w) float32 probability in 0..1 of an image.

    Returns:
        (h', w') float32 in 0..1 over the whole photo; None where no face is small.
    """
    boxes = [box for face in faces[:MOST_FACES] if (box := head_box(face, rgb.shape)) is not None]
    if not boxes:
        return None
    size = fitted(rgb.shape, FIRST_SIDE)
    logits = _logits(cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR))
    for left, top, wide, tall in boxes:
        answer = segment(np.ascontiguousarray(rgb[top : top + tall, left : left + wide]))
        _join(logits, answer, _scaled((left, top, wide, tall), rgb.shape, size))
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def head_box(face: Points, shape: tuple[int, ...]) -> Box | None:
    """Head and shoulders of a small face, inside a photo of that (H, W); None where the face is large, or too small."""
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    height = float(high[1] - low[1])
    if not LEAST_FACE <= height < SMALL_FACE * max(shape[:2]):
        return None
    centre, half = (low + high) / 2 + np.array((0, UPWARDS * height)), CROP * height / 2
    left, top = (max(0, int(value - half)) for value in centre)
    right, bottom = (min(edge, int(value + half)) for value, edge in zip(centre, shape[1::-1], strict=True))
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _scaled(box: Box, shape: tuple[int, ...], size: tuple[int, int]) -> Box:
    """A box of an (H, W) photo in an image of that width and height."""
    left, top, wide, tall = box
    across, down = size[0] / shape[1], size[1] / shape[0]
    x, y = round(left * across), round(top * down)
    return x, y, max(1, round((left + wide) * across) - x), max(1, round((top + tall) * down) - y)


def _join(logits: Plane, answer: Plane, box: Box) -> None:
    """Put the answer for a box into (h, w) logits of the whole."""
    x, y, wide, tall = box
    smaller = min(wide, tall) < min(answer.shape)
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    again = _logits(cv2.resize(answer, (wide, tall), interpolation=method))
    here = logits[y : y + tall, x : x + wide]
    edges = (x == 0, y == 0, x + wide >= logits.shape[1], y + tall >= logits.shape[0])
    here += np.float32(TRUST) * _feathered((wide, tall), edges) * (again - here)


def _logits(probability: Plane) -> Plane:
    lowest = 1 / (1 + np.exp(LOGIT_LIMIT))
    kept = np.clip(probability, lowest, 1 - lowest)
    return np.log(kept / (1 - kept)).astype(np.float32)


def _feathered(size: tuple[int, int], at_edge: tuple[bool, bool, bool, bool]) -> Plane:
    """(h, w) float32: 1 inside, falling to 0 toward the sides (left, top, right, bottom) that are not the photo's."""
    across = _ramp(size[0], low_is_edge=at_edge[0], high_is_edge=at_edge[2])
    down = _ramp(size[1], low_is_edge=at_edge[1], high_is_edge=at_edge[3])
    return np.minimum(down[:, None], across[None])


def _ramp(count: int, *, low_is_edge: bool, high_is_edge: bool) -> Plane:
    """(count,) float32 in 0..1 along one side."""
    places = np.arange(count, dtype=np.float32) + np.float32(0.5)
    whole = np.full(count, np.float32(count))
    distance = np.minimum(whole if low_is_edge else places, whole if high_is_edge else count - places)
    return np.clip(distance / np.float32(max(1.0, FEATHER * count)), 0, 1)
