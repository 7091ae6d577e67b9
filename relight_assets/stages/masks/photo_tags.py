"""What a trainer may want to know of a photo, and leave out or not: tags, which reject nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from relight_assets.core.arrays import Gray8, Mask, Plane, Points, Rgb8
from relight_assets.stages.masks.persons.head import Head

SECOND = 0.15
"""A part of the mask, or a face, whose area is so large against that of the largest, may be another person's."""
CUT_TOP, CUT_SIDES = 0.2, 0.6
"""Share of the upper edge, or of both sides, from which on the person is cut off there."""
BLOCKY = 2.0
"""Display levels by which steps between the squares of a JPEG stand out."""
MIRRORED = 0.8
"""How like its mirror image a border must be.  20 portraits in 18 crops, sizes and qualities stay under .73; filled
up by a tenth of their side, with some of the person in it, 68 of 69 come above."""
BLURRED, BLURRED_SHARE = 0.3, 0.1
"""Fine detail that a blurred filling stays under, in a photo shrunk to 256 pixels: display levels (rounding alone
leaves 0.07), and as a share of the person's."""
ROLLED = 30.0
"""Degrees from which a head is rolled."""
PROPORTIONS = (0.93, 1.12)
"""Width over height of a face, 1 = the usual one, outside of which the photo may be squashed: 35 of 36 portraits are
within .94 and 1.06, and of those stretched to 4:3 one in 36 is."""
_SQUARE = 8
_SIDE = 64
_FINE_SIDE, _DEEP = 256, 12
_TURNS_TO_TOP = 2
"""Quarter turns that rotate the bottom edge to the top."""
_BLACK, _WHITE = 12, 243
_LEAST, _MOST = 0.04, 0.22
"""Where the mirror may stand, in units of the photo's side: at once a narrow strip and no whole head."""
_PLAIN = 4.0
"""Display levels of spread under which a strip, a wall, is like every mirror image."""


@dataclass(frozen=True)
class PhotoTags:
    """What may be the matter with a photo."""

    second_person: bool
    """There may be another person.  A segmenter that tells persons apart found two, whatever their size; else the mask
    has two large parts, or there are two large faces."""
    truncated: bool
    """The person is cut off at the top, or at both sides."""
    padded: bool
    """The photo was filled up by its own mirror image, blurred or not, and the person is in that."""
    monochrome: bool
    """Black and white, or toned in one color."""
    blocky: bool
    """The squares of a JPEG show.  They are not found in a photo that was scaled since."""
    rolled: bool
    """The head is rolled far from upright."""
    squashed: bool
    """The face is wider or narrower for its height than faces are, babies' aside."""
    negative: bool
    """A face shows only once the colours are inverted."""

    def plain(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


NAMES = tuple(PhotoTags.__dataclass_fields__)
"""Of the tags, as in the records."""


def tags(
    rgb: Rgb8,
    alpha: Gray8,
    *,
    probability: Plane,
    scores: Sequence[float] | None,
    faces: Sequence[Points],
    monochrome: bool,
    head: Head | None,
) -> PhotoTags:
    """Look for everything.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint8, of the person.
        probability: (h, w) float32 in 0..1, of a person, before anything was dropped of it.
        scores: of the persons that were found; None from a segmenter that does not tell them apart.
        faces: (N, 2 or more) float32 points of each face, in pixels.
        monochrome: whether the photo is black and white, or toned.
        head: of the surest face; None where there is none.
    """
    return PhotoTags(
        second_person=len(scores) > 1 if scores is not None else max(_parts(probability), _large(faces)) > 1,
        truncated=_truncated(alpha > 127),
        padded=mirror(rgb, alpha) > MIRRORED or blurred_border(rgb, alpha),
        monochrome=monochrome,
        blocky=blockiness(rgb) > BLOCKY,
        rolled=head is not None and abs(head.roll) > ROLLED,
        squashed=head is not None and not PROPORTIONS[0] <= head.proportion <= PROPORTIONS[1],
        negative=head is not None and head.inverted,
    )


def _parts(probability: Plane) -> int:
    half = (max(1, probability.shape[1] // 2), max(1, probability.shape[0] // 2))
    inside = (cv2.resize(probability, half, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    areas = found[1:, cv2.CC_STAT_AREA]
    return int(np.count_nonzero(areas >= SECOND * areas.max())) if areas.size else 0


def _large(faces: Sequence[Points]) -> int:
    areas = [float(np.prod(np.ptp(face[:, :2], axis=0))) for face in faces]
    return sum(area >= SECOND * max(areas) for area in areas)


def _truncated(person: Mask) -> bool:
    top, left, right = (float(edge.mean()) for edge in (person[0], person[:, 0], person[:, -1]))
    return top > CUT_TOP or min(left, right) > CUT_SIDES


def mirror(rgb: Rgb8, alpha: Gray8) -> float:
    """How much a border that has some of the person looks like the mirror image of what is inside of it, -1..1.

    For every line near a border: the correlation of the strip outside of it with the same strip inside, of what
    changes across the line.  (What runs along it, a door frame, would be like any mirror image.)  All lines at once
    are one convolution of each column with itself.
    """
    step = max(1, min(rgb.shape[:2]) // (4 * _SIDE))
    green = np.ascontiguousarray(rgb[::step, ::step, 1])
    gray = cv2.resize(green, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    person = cv2.resize(alpha, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST) > 127
    best = -1.0
    for turns in range(4):
        likeness, line = _mirror_at_top(np.rot90(gray, turns))
        if likeness > best and np.rot90(person, turns)[: round(line)].any():
            best = likeness
    return best


def _mirror_at_top(gray: Gray8) -> tuple[float, float]:
    """The greatest likeness, and the line's distance from the upper edge, rows."""
    count = int(2 * _MOST * _SIDE) + 1
    rows = gray[:count].astype(np.float64)
    rows -= rows.mean(axis=0)
    spectrum = np.fft.rfft(rows, 2 * count, axis=0)
    # Row c of the convolution is the sum over i of rows i and c - i: the mirror stands in the middle of rows 0..c.
    mirrored = np.fft.irfft(spectrum * spectrum, 2 * count, axis=0)[:count]
    number = np.arange(1, count + 1)[:, None]
    along = np.cumsum(rows, axis=0) ** 2 / number
    both = (mirrored - along).sum(axis=1)
    power = (np.cumsum(rows * rows, axis=0) - along).sum(axis=1)
    telling = power > _PLAIN**2 * number[:, 0] * _SIDE
    telling[: int(2 * _LEAST * _SIDE)] = False
    likeness = np.where(telling, both / np.maximum(power, 1.0), -1.0)
    found = int(likeness.argmax())
    return float(likeness[found]), (found + 1) / 2


def blurred_border(rgb: Rgb8, alpha: Gray8) -> bool:
    """Whether the person reaches into a border that has no detail at all, as where FFHQ's alignment filled up.

    That blurs the mirror image by a 50th of the photo's side (Karras et al., ICLR 2018, appendix C), which takes
    grain too; clothes that are out of focus keep theirs.  Two neighbours of 16 cells along a side are enough; at the
    lower one, where clothes may be as plain, only if most of that side is blurred.
    """
    if min(rgb.shape[:2]) < _FINE_SIDE:
        return False  # enlarged, any photo is without detail
    size = (_FINE_SIDE, _FINE_SIDE)
    step = max(1, min(rgb.shape[:2]) // (2 * _FINE_SIDE))
    gray = cv2.resize(rgb[::step, ::step, 1].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    person = cv2.resize(alpha, size, interpolation=cv2.INTER_NEAREST).astype(np.float32) / 255
    detail = cv2.absdiff(gray, cv2.GaussianBlur(gray, (0, 0), 1.0))
    most = min(BLURRED, BLURRED_SHARE * float((detail * person).sum() / max(person.sum(), 1.0)))
    for turns in range(4):
        fine, level, cover = (_cells(np.rot90(plane, turns)) for plane in (detail, gray, person))
        blurred = fine < most
        # Black and clipped clothes have no detail to lose.
        of_person = blurred & (cover > 0.8) & (level > _BLACK) & (level < _WHITE)
        if (of_person[1:] & of_person[:-1]).any() and (turns != _TURNS_TO_TOP or blurred.mean() >= 0.75):
            return True
    return False


def _cells(plane: Plane) -> NDArray[np.float32]:
    """The means of 16 cells along the upper edge."""
    return plane[:_DEEP].reshape(_DEEP, 16, -1).mean(axis=(0, 2))


def blockiness(rgb: Rgb8) -> float:
    """By how much steps at every eighth column stand out from their neighbours, display levels.

    Of 20 portraits, JPEGs of quality 30 and less all have 2 or more, those of 70 and more less than 2.
    """
    # Some hundred rows of green are enough for a mean.
    some = np.ascontiguousarray(rgb[:: max(1, rgb.shape[0] // 128), :, 1]).astype(np.int16)
    if some.shape[1] < 4 * _SQUARE:
        return 0.0
    steps = np.abs(some[:, 1:] - some[:, :-1])
    excess = (steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(axis=0)
    means = [float(excess[start::_SQUARE].mean()) for start in range(_SQUARE)]
    seam = _SQUARE - 2  # between columns 7 and 8, and one step was lost at the left
    return means[seam] - (sum(means) - means[seam]) / (_SQUARE - 1)
